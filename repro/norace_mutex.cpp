// Two threads count under one mutex.
// maps: none
// truth: no race: the mutex lets one thread in
// expect: tsan=clean gcc_tsan=clean watchpoint=none judge=no-report
#include <cstdio>
#include <mutex>

#include "repro/support/gate.hpp"

namespace {
std::mutex lock;
int counter = 0;

void count() {
  for (int i = 0; i < 300; ++i) {
    const std::scoped_lock hold(lock);
    ++counter;
  }
}
}  // namespace

int main() {
  racelab::run_together(count, count);
  if (counter == 600) return 0;
  std::printf("corrupt: counted to 600, found %d\n", counter);
  return 1;
}
