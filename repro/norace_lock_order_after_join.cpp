// One thread takes two locks in one order, and another, started when it has ended, in the other.
// maps: none
// truth: no race: the two are never there at the same time
// cause: lock-order-history
// expect: tsan=report gcc_tsan=report watchpoint=none judge=likely-false
#include <cstdio>
#include <mutex>
#include <thread>

namespace {
std::mutex left;
std::mutex right;
int moved = 0;

void take_both(std::mutex& from, std::mutex& to) {
  const std::scoped_lock first(from);
  const std::scoped_lock second(to);
  ++moved;
}
}  // namespace

int main() {
  std::thread([] { take_both(left, right); }).join();
  std::thread([] { take_both(right, left); }).join();
  if (moved == 2) return 0;
  std::printf("corrupt: moved %d of 2\n", moved);
  return 1;
}
