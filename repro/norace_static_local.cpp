// A static local variable that threads come to at the same time.
// maps: none
// truth: no race: the compiler guards its initialisation
// expect: tsan=clean gcc_tsan=clean watchpoint=none judge=no-report
#include <atomic>
#include <cstdio>
#include <string>

#include "repro/support/gate.hpp"

namespace {
std::atomic<std::size_t> letters{0};

const std::string& name() {
  static const std::string made = std::string("a name that is made once, ") + "on the heap";
  return made;
}
}  // namespace

int main() {
  for (int i = 0; i < 2; ++i) racelab::run_together(3, [](int) { letters.fetch_add(name().size()); });
  if (letters.load() == 6 * name().size()) return 0;
  std::puts("corrupt: the name was not made yet");
  return 1;
}
