// A write that many threads' reads have pushed out of the four shadow cells that ThreadSanitizer keeps for 8 bytes.
// race: set() W vs look_late() R
// maps: none
// truth: race, no visible harm on x86-64: who looks late takes what it finds
// cause: evicted
// expect: tsan=sometimes gcc_tsan=sometimes watchpoint=sometimes judge=confirmed
// shown: yes
#include <atomic>
#include <thread>
#include <vector>

namespace {
int level = 0;
std::atomic<bool> is_set{false};
std::atomic<int> sum{0};

void set() {
  level = 3;
  is_set.store(true);
}

// These come after the write, in order.
void look_after() {
  while (!is_set.load()) std::this_thread::yield();
  sum.fetch_add(level);
}

// This one has work of its own, and only that makes it come late.
void look_late() {
  volatile int work = 0;
  while (work < 2'000'000) work = work + 1;
  sum.fetch_add(level);
}
}  // namespace

int main() {
  std::vector<std::thread> threads;
  threads.emplace_back(look_late);
  for (int i = 0; i < 8; ++i) threads.emplace_back(look_after);
  threads.emplace_back(set);
  for (auto& each : threads) each.join();
}
