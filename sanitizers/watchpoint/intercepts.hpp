// The memory and string functions of libc, as far as instrumented modules call them.
#pragma once

#include <cstdint>

namespace racelab::watch {

/// From now on calls out of the module around this return address are looked at. Once for each module; a module past the
/// first 256 goes unwatched.
void note_instrumented_module(std::uintptr_t pc) noexcept;

}  // namespace racelab::watch
