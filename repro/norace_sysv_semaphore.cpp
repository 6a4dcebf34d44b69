// Threads that count under a System V semaphore, and handle no signals: their semop() need not expect to be interrupted.
// maps: none
// truth: no race: the kernel lets one thread through at a time
// cause: unintercepted-call
// expect: tsan=report gcc_tsan=report watchpoint=none judge=likely-false
#include <sys/ipc.h>
#include <sys/sem.h>

#include <cstdio>

#include "repro/support/gate.hpp"

namespace {
int semaphore = -1;
int counter = 0;

void change_by(short number) {
  sembuf change{.sem_num = 0, .sem_op = number, .sem_flg = 0};
  semop(semaphore, &change, 1);
}

void count() {
  for (int i = 0; i < 100; ++i) {
    change_by(-1);
    ++counter;
    change_by(1);
  }
}
}  // namespace

int main() {
  semaphore = semget(IPC_PRIVATE, 1, 0600);
  change_by(1);
  racelab::run_together(count, count);
  semctl(semaphore, 0, IPC_RMID);
  if (counter == 200) return 0;
  std::printf("corrupt: counted to 200, found %d\n", counter);
  return 1;
}
