// Two threads count under a spin lock that is written in inline assembly.
// maps: none
// truth: no race: xchg is a full barrier, and the lock lets one thread in
// cause: asm-lock
// expect: tsan=report gcc_tsan=report watchpoint=none judge=likely-false
#include <cstdio>
#include <mutex>

#include "repro/support/asm_lock.hpp"
#include "repro/support/gate.hpp"

namespace {
racelab::asm_lock lock;
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
