// A std::binary_semaphore used as a lock.
// maps: none
// truth: no race: it has one permit
// expect: tsan=clean gcc_tsan=clean watchpoint=none judge=no-report
#include <cstdio>
#include <semaphore>

#include "repro/support/gate.hpp"

namespace {
std::binary_semaphore permit{1};
int counter = 0;

void count() {
  for (int i = 0; i < 200; ++i) {
    permit.acquire();
    ++counter;
    permit.release();
  }
}
}  // namespace

int main() {
  racelab::run_together(count, count);
  if (counter == 400) return 0;
  std::printf("corrupt: counted to 400, found %d\n", counter);
  return 1;
}
