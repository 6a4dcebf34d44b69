// A consumer waits by a condition variable for what a producer puts into a queue.
// maps: none
// truth: no race: the queue is touched under its mutex only
// expect: tsan=clean gcc_tsan=clean watchpoint=none judge=no-report
#include <condition_variable>
#include <cstdio>
#include <deque>
#include <mutex>
#include <thread>

namespace {
constexpr int items = 100;
std::mutex lock;
std::condition_variable changed;
std::deque<int> queue;
int sum = 0;

void produce() {
  for (int i = 1; i <= items; ++i) {
    const std::scoped_lock hold(lock);
    queue.push_back(i);
    changed.notify_one();
  }
}

void consume() {
  for (int i = 0; i < items; ++i) {
    std::unique_lock hold(lock);
    changed.wait(hold, [] { return !queue.empty(); });
    sum += queue.front();
    queue.pop_front();
  }
}
}  // namespace

int main() {
  std::thread consumer(consume);
  produce();
  consumer.join();
  if (sum == items * (items + 1) / 2) return 0;
  std::printf("corrupt: the sum is %d\n", sum);
  return 1;
}
