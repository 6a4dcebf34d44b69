// A spin lock is released by a relaxed store.
// race: count() W vs count() W
// maps: none
// truth: race, ordering only: every store is a release on x86-64, and the compiler does not move the counter's here
// cause: relaxed-order
// expect: tsan=report gcc_tsan=report watchpoint=none judge=ordering-only
// shown: no
#include <atomic>
#include <cstdio>
#include <thread>

#include "repro/support/gate.hpp"

namespace {
std::atomic<bool> taken{false};
volatile int counter = 0;

void count() {
  for (int i = 0; i < 200; ++i) {
    while (taken.exchange(true, std::memory_order_acquire)) std::this_thread::yield();
    counter = counter + 1;
    // Relaxed, wrongly: it should publish the counter to the next exchange.
    taken.store(false, std::memory_order_relaxed);
  }
}
}  // namespace

int main() {
  racelab::run_together(count, count);
  if (counter == 400) return 0;
  std::printf("corrupt: counted to 400, found %d\n", counter);
  return 1;
}
