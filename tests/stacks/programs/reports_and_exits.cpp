// Ends as the write flag ends a program.
#include <unistd.h>

#include <array>

#include "stacks/fatal.hpp"

int main() {
  std::array<racelab::stacks::thread_trace, 1> one{};
  racelab::stacks::capture(one[0].stack);
  one[0].id = 1;
  racelab::stacks::die_with_report(STDERR_FILENO, "fatal error: made up", one, 2);
}
