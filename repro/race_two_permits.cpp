// A semaphore is used as a lock and was given two permits: two threads are inside, and each post looks like an order.
// race: move_stock() W vs move_stock() W
// maps: none
// truth: race, corrupt: pieces are made or lost
// cause: masked-order
// expect: tsan=sometimes gcc_tsan=sometimes watchpoint=caught judge=confirmed
// shown: yes
#include <semaphore.h>

#include <cstdio>

#include "repro/support/gate.hpp"

namespace {
sem_t permits;
long shelf = 1000;
long counter = 0;

void move_stock() {
  for (int i = 0; i < 200; ++i) {
    sem_wait(&permits);
    --shelf;
    ++counter;
    sem_post(&permits);
  }
}
}  // namespace

int main() {
  sem_init(&permits, 0, 2);
  racelab::run_together(move_stock, move_stock);
  if (shelf == 600 && counter == 400) return 0;
  std::printf("corrupt: %ld and %ld pieces of 1000\n", shelf, counter);
  return 1;
}
