// The reader waits for a semaphore by the steady clock: sem_clockwait(), which ThreadSanitizer does not know.
// maps: none
// truth: no race: the post is seen by the wait, whichever clock limits it
// cause: clock-lock
// expect: tsan=report gcc_tsan=report watchpoint=none judge=likely-false
#include <semaphore.h>

#include <cstdio>
#include <ctime>
#include <thread>

namespace {
sem_t filled;
int value = 0;
int taken = 0;

void fill() {
  value = 42;
  sem_post(&filled);
}

void take() {
  timespec limit{};
  clock_gettime(CLOCK_MONOTONIC, &limit);
  limit.tv_sec += 5;
  if (sem_clockwait(&filled, CLOCK_MONOTONIC, &limit) == 0) taken = value;
}
}  // namespace

int main() {
  sem_init(&filled, 0, 0);
  std::thread taker(take);
  fill();
  taker.join();
  if (taken == 42) return 0;
  std::printf("corrupt: took %d\n", taken);
  return 1;
}
