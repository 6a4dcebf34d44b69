// A write lies so far back that ThreadSanitizer has forgotten where it was made when the other access comes, and says nothing.
// race: begin() W vs look_back() R
// maps: none
// truth: race, no visible harm on x86-64: whoever looks takes what it finds
// cause: history-lost
// expect: tsan=clean gcc_tsan=sometimes watchpoint=none judge=confirmed
// shown: yes
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdio>
#include <thread>

namespace {
int mark = 0;
std::array<int, 64> scratch{};
std::atomic<bool> finished{false};

void touch(std::size_t i) { scratch.at(i % scratch.size()) += 1; }

void begin() {
  mark = 1;
  for (std::size_t i = 0; i < 300'000; ++i) touch(i);
  finished.store(true, std::memory_order_relaxed);  // relaxed: it orders nothing
}

void look_back() {
  while (!finished.load(std::memory_order_relaxed)) std::this_thread::yield();
  if (mark != 1) std::puts("not marked");
}
}  // namespace

int main() {
  std::thread worker(begin);
  std::thread other(look_back);
  worker.join();
  other.join();
}
