// A stack that is captured later, and only if it is wanted: where a thread stands is some registers.
//
// libunwind's quick unw_backtrace() makes a cache of 256 KiB for each thread that calls it. A thread that waits often and
// is seldom asked where is better off with this.
#pragma once

#define UNW_LOCAL_ONLY
#include <libunwind.h>

#include "stacks/capture.hpp"

namespace racelab::stacks {

/// Good for as long as the function that called stand() has not returned.
struct standing {
  unw_context_t registers;
};

/// Where the caller stands: into its own code, for the frame that is noted must not be gone.
[[gnu::always_inline]] inline void stand(standing& here) noexcept { unw_getcontext(&here.registers); }

/// The stack from there on, that function first; by any thread of the process. Neither allocates nor locks once
/// prepare_capture() has run. Slower than capture().
void capture_standing(raw_trace& into, standing& from) noexcept;

}  // namespace racelab::stacks
