// Machine: where a measurement was made.
#pragma once

#include <cstdint>
#include <string>

namespace racelab::lab {

struct machine {
  std::string processor;     // the kernel's name for it
  unsigned processors = 1;   // that this process may use
  std::uint64_t memory = 0;  // bytes
  std::string system;        // the distribution's name
  std::string kernel;
};

/// What this machine says of itself; "unknown" where it doesn't.
[[nodiscard]] machine this_machine();

}  // namespace racelab::lab
