// Two threads take two locks at once, each names them in another order.
// maps: none
// truth: no race: std::scoped_lock takes both or waits with neither, so the order in which they are named does not matter
// expect: tsan=clean gcc_tsan=clean watchpoint=none judge=no-report
#include <cstdio>
#include <mutex>

#include "repro/support/gate.hpp"

namespace {
struct account {
  std::mutex lock;
  long balance = 100;
};
account left;
account right;

void transfer(account& from, account& to) {
  for (int i = 0; i < 50; ++i) {
    const std::scoped_lock both(from.lock, to.lock);
    from.balance -= 10;
    to.balance += 10;
  }
}
}  // namespace

int main() {
  racelab::run_together([] { transfer(left, right); }, [] { transfer(right, left); });
  if (left.balance == 100 && right.balance == 100) return 0;
  std::puts("corrupt: money was made or lost");
  return 1;
}
