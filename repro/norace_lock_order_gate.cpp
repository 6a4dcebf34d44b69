// Two threads take two locks in opposite orders, and a third lock around them lets only one of them do so at a time.
// maps: none
// truth: no race: neither can be between the two locks while the other is: the gate is held by one
// cause: gate-lock
// expect: tsan=report gcc_tsan=report watchpoint=none judge=likely-false
#include <cstdio>
#include <mutex>

#include "repro/support/gate.hpp"

namespace {
std::mutex gate;
std::mutex left;
std::mutex right;
int moved = 0;

void take_both(std::mutex& from, std::mutex& to) {
  for (int i = 0; i < 50; ++i) {
    const std::scoped_lock alone(gate);
    const std::scoped_lock first(from);
    const std::scoped_lock second(to);
    ++moved;
  }
}
}  // namespace

int main() {
  racelab::run_together([] { take_both(left, right); }, [] { take_both(right, left); });
  if (moved == 100) return 0;
  std::printf("corrupt: moved %d of 100\n", moved);
  return 1;
}
