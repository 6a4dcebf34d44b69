// The built-in policy: where the runtime stalls without a plan.
#pragma once

#include "sanitizers/watchpoint/watchpoint.hpp"

namespace racelab::watch {

/// In a window every access is looked at, not only those at fresh sites.
[[nodiscard]] bool window_is_open() noexcept;
void set_window(bool open) noexcept;

void stall_by_policy(const access& what) noexcept;

/// RACELAB_PERTURB=yield: instead, one access in eight gives the processor away.
void yield_by_policy() noexcept;

}  // namespace racelab::watch
