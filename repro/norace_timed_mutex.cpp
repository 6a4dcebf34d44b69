// A std::timed_mutex taken with a time limit: pthread_mutex_clocklock(), which gcc 12's ThreadSanitizer does not know.
// maps: none
// truth: no race: the lock is as good with a limit as without
// cause: clock-lock
// expect: tsan=clean gcc_tsan=report watchpoint=none judge=no-report
#include <chrono>
#include <cstdio>
#include <mutex>

#include "repro/support/gate.hpp"

namespace {
std::timed_mutex lock;
int value = 0;

void change() {
  for (int i = 0; i < 100; ++i)
    if (const std::unique_lock hold(lock, std::chrono::seconds(5)); hold) ++value;
}
}  // namespace

int main() {
  racelab::run_together(change, change);
  if (value == 200) return 0;
  std::printf("corrupt: counted to 200, found %d\n", value);
  return 1;
}
