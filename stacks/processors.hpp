// How many processors there are for this process.
#pragma once

#include <sched.h>

namespace racelab::stacks {

/// Those that it may use, which taskset or a container may have made fewer; 1 if the kernel does not say.
[[nodiscard]] inline unsigned usable_processors() noexcept {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return 1;
  return static_cast<unsigned>(CPU_COUNT(&allowed));
}

}  // namespace racelab::stacks
