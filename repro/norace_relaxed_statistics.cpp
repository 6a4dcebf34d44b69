// The statistic of race_statistics_counter with a relaxed atomic.
// maps: none
// truth: no race: atomic operations don't race, whatever their order
// expect: tsan=clean gcc_tsan=clean watchpoint=none judge=no-report
#include <atomic>
#include <cstdio>

#include "repro/support/gate.hpp"

namespace {
std::atomic<long> served{0};

void serve() {
  for (int i = 0; i < 1000; ++i) served.fetch_add(1, std::memory_order_relaxed);  // only counts
}
}  // namespace

int main() {
  racelab::run_together(serve, serve);
  if (served.load() == 2000) return 0;
  std::puts("corrupt: a request was not counted");
  return 1;
}
