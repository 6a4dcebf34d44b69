// Whether a queue is empty is looked at before the lock is taken, to spare the lock.
// race: produce() W vs drain() R
// maps: none
// truth: race, no visible harm on x86-64: a stale length costs one more round, for it is looked at again under the lock
// expect: tsan=report gcc_tsan=report watchpoint=caught judge=confirmed
// shown: yes
#include <cstdio>
#include <mutex>
#include <thread>

#include "repro/support/gate.hpp"

namespace {
constexpr int items = 200;
std::mutex lock;
int waiting = 0;
int drained = 0;

void produce() {
  for (int i = 0; i < items; ++i) {
    const std::scoped_lock hold(lock);
    waiting += 1;
  }
}

void drain() {
  while (drained < items) {
    if (waiting == 0) {
      std::this_thread::yield();
      continue;
    }
    const std::scoped_lock hold(lock);
    drained += waiting;
    waiting = 0;
  }
}
}  // namespace

int main() {
  racelab::run_together(produce, drain);
  std::printf("%d items\n", drained);
}
