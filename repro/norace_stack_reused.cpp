// Detached threads come and go: a later one's stack lies where an earlier one's lay.
// maps: none
// truth: no race: a stack is given to a new thread when its old one has ended
// expect: tsan=clean gcc_tsan=clean watchpoint=none judge=no-report
#include <array>
#include <atomic>
#include <cstdio>
#include <thread>

namespace {
std::atomic<int> ended{0};
std::atomic<int> sum{0};

void use_stack() {
  std::array<volatile int, 200> local{};
  for (auto& each : local) each = 1;
  int own = 0;
  for (const auto& each : local) own += each;
  sum.fetch_add(own);
  ended.fetch_add(1, std::memory_order_relaxed);  // relaxed: it must not order the threads
}
}  // namespace

int main() {
  for (int i = 1; i <= 20; ++i) {
    std::thread(use_stack).detach();
    while (ended.load(std::memory_order_relaxed) < i) std::this_thread::yield();
  }
  if (sum.load() == 20 * 200) return 0;
  std::printf("corrupt: the sum is %d\n", sum.load());
  return 1;
}
