// Two classes guard one total, each with its own mutex: both hold a lock, and not the same.
// race: sell() W vs take_back() W
// maps: none
// truth: race, corrupt: a sale or a return is missing in the total
// expect: tsan=report gcc_tsan=report watchpoint=caught judge=confirmed
// shown: yes
#include <cstdio>
#include <mutex>

#include "repro/support/gate.hpp"

namespace {
long total = 0;

void sell() {
  static std::mutex sales;
  for (int i = 0; i < 300; ++i) {
    const std::scoped_lock hold(sales);
    total += 3;
  }
}

void take_back() {
  static std::mutex returns;
  for (int i = 0; i < 300; ++i) {
    const std::scoped_lock hold(returns);
    total -= 3;
  }
}
}  // namespace

int main() {
  racelab::run_together(sell, take_back);
  if (total == 0) return 0;
  std::printf("corrupt: what was sold and taken back differs by %ld\n", total);
  return 1;
}
