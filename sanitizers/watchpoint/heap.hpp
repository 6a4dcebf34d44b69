// Giving memory back, seen as an access.
#pragma once

#include <cstdint>

namespace racelab::watch {

/// free(block), after a look at who is about to touch it. `pc`: the caller's return address.
void release(void* block, std::uintptr_t pc) noexcept;

}  // namespace racelab::watch
