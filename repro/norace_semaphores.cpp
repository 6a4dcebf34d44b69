// Two POSIX semaphores pass one buffer back and forth.
// maps: none
// truth: no race: each post is seen by the wait that it lets through
// expect: tsan=clean gcc_tsan=clean watchpoint=none judge=no-report
#include <semaphore.h>

#include <cstdio>
#include <thread>

namespace {
constexpr int rounds = 100;
sem_t empty;
sem_t full;
int buffer = 0;
int sum = 0;

void fill() {
  for (int i = 1; i <= rounds; ++i) {
    sem_wait(&empty);
    buffer = i;
    sem_post(&full);
  }
}

void drain() {
  for (int i = 1; i <= rounds; ++i) {
    sem_wait(&full);
    sum += buffer;
    sem_post(&empty);
  }
}
}  // namespace

int main() {
  sem_init(&empty, 0, 1);
  sem_init(&full, 0, 0);
  std::thread drainer(drain);
  fill();
  drainer.join();
  if (sum == rounds * (rounds + 1) / 2) return 0;
  std::printf("corrupt: the sum is %d\n", sum);
  return 1;
}
