// The runtime's own threads: the pacemaker, which opens and closes the windows in which everything is
// watched, and the heap churn of RACELAB_PERTURB=heap. Neither is seen by the program's own thread numbering.
#pragma once

#include <cstdint>

namespace racelab::watch {

using tick_function = void (*)(std::uint64_t);

/// Starts the thread that calls tick(milliseconds) every five of them, once for the process.
void start_pacemaker(tick_function tick) noexcept;

/// In the child of a fork, where the pacemaker is not: the next start_pacemaker starts one.
void forget_pacemaker() noexcept;

/// Starts a thread that allocates and frees blocks of many sizes and trims the heap, until the process ends.
void start_heap_churn(std::uint64_t seed) noexcept;

}  // namespace racelab::watch
