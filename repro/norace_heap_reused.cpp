// What one thread frees the other gets from malloc(), over and over.
// maps: none
// truth: no race: the allocator hands a block on, and it is another object then
// expect: tsan=clean gcc_tsan=clean watchpoint=none judge=no-report
#include <atomic>
#include <cstdio>
#include <memory>
#include <vector>

#include "repro/support/gate.hpp"

namespace {
std::atomic<int> wrong{0};

void allocate_and_free(int own) {
  for (int i = 0; i < 100; ++i) {
    const std::vector<int> block(static_cast<std::size_t>(16 + i % 3), own);
    for (const int each : block)
      if (each != own) wrong.fetch_add(1);
  }
}
}  // namespace

int main() {
  for (int round = 0; round < 3; ++round)
    racelab::run_together([] { allocate_and_free(1); }, [] { allocate_and_free(2); });
  if (wrong.load() == 0) return 0;
  std::puts("corrupt: a block has another thread's content");
  return 1;
}
