// One thread alone takes two locks in one order and later in the other.
// maps: none
// truth: no race: a thread can't wait for itself there, and nobody else takes both
// cause: lock-order-history
// expect: tsan=report gcc_tsan=report watchpoint=none judge=likely-false
#include <cstdio>
#include <mutex>

#include "repro/support/gate.hpp"

namespace {
std::mutex left;
std::mutex right;
int moved = 0;

void take_both(std::mutex& from, std::mutex& to) {
  const std::scoped_lock first(from);
  const std::scoped_lock second(to);
  ++moved;
}

void count_under(std::mutex& one) {
  for (int i = 0; i < 50; ++i) const std::scoped_lock hold(one);
}
}  // namespace

int main() {
  racelab::run_together(
      [] {
        take_both(left, right);
        take_both(right, left);
      },
      [] { count_under(left); }, [] { count_under(right); });
  if (moved == 2) return 0;
  std::printf("corrupt: moved %d of 2\n", moved);
  return 1;
}
