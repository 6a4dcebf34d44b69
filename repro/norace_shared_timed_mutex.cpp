// Writers and readers of a std::shared_timed_mutex take it with a time limit: pthread_rwlock_clockwrlock() and its kin.
// maps: none
// truth: no race: the lock is as good with a limit as without
// cause: clock-lock
// expect: tsan=report gcc_tsan=report watchpoint=none judge=likely-false
#include <chrono>
#include <cstdio>
#include <mutex>
#include <shared_mutex>

#include "repro/support/gate.hpp"

namespace {
std::shared_timed_mutex lock;
int value = 0;
int seen = 0;

void change() {
  for (int i = 0; i < 100; ++i)
    if (const std::unique_lock hold(lock, std::chrono::seconds(5)); hold) ++value;
}

void look() {
  for (int i = 0; i < 100; ++i)
    if (const std::shared_lock hold(lock, std::chrono::seconds(5)); hold) seen |= value;
}
}  // namespace

int main() {
  racelab::run_together(change, change, look);
  if (value == 200 && seen <= 255) return 0;
  std::printf("corrupt: counted to 200, found %d\n", value);
  return 1;
}
