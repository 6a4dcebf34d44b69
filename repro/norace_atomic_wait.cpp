// Two threads take turns, each waiting by std::atomic::wait() for its own.
// maps: none
// truth: no race: the wait ends when the other's store is seen
// expect: tsan=clean gcc_tsan=clean watchpoint=none judge=no-report
#include <atomic>
#include <cstdio>

#include "repro/support/gate.hpp"

namespace {
std::atomic<int> turn{0};
int counter = 0;

void count(int own) {
  for (int i = 0; i < 50; ++i) {
    turn.wait(1 - own);
    ++counter;
    turn.store(1 - own);
    turn.notify_one();
  }
}
}  // namespace

int main() {
  racelab::run_together([] { count(0); }, [] { count(1); });
  if (counter == 100) return 0;
  std::printf("corrupt: counted to 100, found %d\n", counter);
  return 1;
}
