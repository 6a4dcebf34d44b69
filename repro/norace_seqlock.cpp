// A sequence lock whose payload is atomic.
// maps: none
// truth: no race: every access is atomic, and a torn snapshot is taken again
// expect: tsan=clean gcc_tsan=clean watchpoint=none judge=no-report
#include <atomic>
#include <cstdio>
#include <thread>
#include <utility>

namespace {
std::atomic<unsigned> sequence{0};
std::atomic<long> low{0};
std::atomic<long> high{0};
bool torn = false;

void publish(long value) {
  sequence.fetch_add(1);
  low.store(value);
  high.store(-value);
  sequence.fetch_add(1);
}

std::pair<long, long> snapshot() {
  for (;;) {
    const unsigned before = sequence.load();
    const std::pair<long, long> seen{low.load(), high.load()};
    if (before % 2 == 0 && sequence.load() == before) return seen;
    std::this_thread::yield();
  }
}
}  // namespace

int main() {
  std::thread reader([] {
    for (int i = 0; i < 100; ++i) {
      const auto [a, b] = snapshot();
      torn |= a != -b;
    }
  });
  for (long i = 1; i <= 100; ++i) publish(i);
  reader.join();
  if (!torn) return 0;
  std::puts("corrupt: a torn snapshot got through");
  return 1;
}
