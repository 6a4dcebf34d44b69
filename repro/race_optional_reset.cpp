// An optional text is reset while another thread, which has just tested it, reads it.
// race: forget() W vs greet() R
// maps: none
// truth: race, corrupt: the reader uses a text that has been destroyed
// expect: tsan=report gcc_tsan=report watchpoint=sometimes judge=confirmed
// shown: yes
#include <cstddef>
#include <cstdio>
#include <optional>
#include <string>

#include "repro/support/gate.hpp"

namespace {
std::optional<std::string> user = "a name that is too long to be kept inside";
std::size_t letters = 41;

void forget() { user.reset(); }

void greet() {
  if (user) letters = user->find_last_not_of(' ') + 1;
}
}  // namespace

int main() {
  racelab::run_together(greet, forget);
  if (letters == 41) return 0;
  std::printf("corrupt: the name has %zu letters instead of 41\n", letters);
  return 1;
}
