// Two threads take two locks in opposite orders.
// maps: none
// truth: deadlock, hang: each holds the lock that the other waits for
// expect: tsan=report gcc_tsan=report watchpoint=none judge=confirmed
#include <cstdio>
#include <mutex>
#include <thread>

namespace {
struct account {
  std::mutex lock;
  long balance = 100;
};
account left;
account right;

void transfer(account& from, account& to) {
  const std::scoped_lock first(from.lock);
  const std::scoped_lock second(to.lock);
  from.balance -= 10;
  to.balance += 10;
}
}  // namespace

int main() {
  std::thread one([] { transfer(left, right); });
  std::thread other([] { transfer(right, left); });
  one.join();
  other.join();
  if (left.balance == 100 && right.balance == 100) return 0;
  std::puts("corrupt: money was made or lost");
  return 1;
}
