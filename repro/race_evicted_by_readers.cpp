// A write that many threads' reads have pushed out of the four shadow cells that ThreadSanitizer keeps for 8 bytes.
// race: set() W vs check() R
// maps: none
// truth: race, no visible harm on x86-64: the late reader takes what it finds
// cause: evicted
// expect: tsan=sometimes gcc_tsan=sometimes watchpoint=none judge=confirmed
// shown: yes
#include <atomic>
#include <thread>
#include <vector>

namespace {
int level = 0;
std::atomic<bool> is_set{false};
std::atomic<int> reads{0};

void set() {
  level = 3;
  is_set.store(true);
}

// These come after the write, in order.
void look() {
  while (!is_set.load()) std::this_thread::yield();
  for (int i = 0; i < 20; ++i)
    if (level == 3) reads.fetch_add(1);
}

// This one does not: it counts the looks with relaxed order, which orders nothing.
void check() {
  while (reads.load(std::memory_order_relaxed) < 6 * 20) std::this_thread::yield();
  if (level != 3) reads.store(0);
}
}  // namespace

int main() {
  std::vector<std::thread> readers;
  for (int i = 0; i < 6; ++i) readers.emplace_back(look);
  std::thread late(check);
  std::thread writer(set);
  for (auto& each : readers) each.join();
  late.join();
  writer.join();
}
