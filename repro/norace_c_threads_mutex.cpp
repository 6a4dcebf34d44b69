// A mutex of C's <threads.h>: mtx_lock() is pthread_mutex_lock() inside of libc, where ThreadSanitizer does not see the call.
// maps: none
// truth: no race: mtx_lock() lets one thread in
// cause: unintercepted-call
// expect: tsan=report gcc_tsan=report watchpoint=none judge=likely-false
#include <threads.h>

#include <cstdio>

#include "repro/support/gate.hpp"

namespace {
mtx_t lock;
int counter = 0;

void count() {
  for (int i = 0; i < 200; ++i) {
    mtx_lock(&lock);
    ++counter;
    mtx_unlock(&lock);
  }
}
}  // namespace

int main() {
  mtx_init(&lock, mtx_plain);
  racelab::run_together(count, count);
  mtx_destroy(&lock);
  if (counter == 400) return 0;
  std::printf("corrupt: counted to 400, found %d\n", counter);
  return 1;
}
