// A thousand threads wait for work that never comes; the main thread gives up.
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <thread>
#include <vector>

std::mutex mutex;
std::condition_variable work;
std::atomic<int> waiting{0};

[[gnu::noinline]] void wait_for_work(const int* done) {
  std::unique_lock lock(mutex);
  waiting.fetch_add(1);
  work.wait(lock, [done] { return *done != 0; });
}

int main() {
  int done = 0;
  std::vector<std::thread> threads;
  threads.reserve(1000);  // growing would be another line of creation
  for (int i = 0; i < 1000; ++i) threads.emplace_back([&done] { wait_for_work(&done); });
  while (waiting.load() < 1000) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  {
    const std::lock_guard lock(mutex);
  }  // the last one is in its wait, too
  std::abort();
}
