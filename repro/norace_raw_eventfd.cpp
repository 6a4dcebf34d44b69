// Two threads take turns by an event descriptor as a semaphore, with raw system calls.
// maps: none
// truth: no race: the descriptor's count lets one thread in
// cause: raw-syscall
// expect: tsan=report gcc_tsan=report watchpoint=none judge=likely-false
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>

#include "repro/support/gate.hpp"

namespace {
int permits = -1;
int counter = 0;

void count() {
  for (int i = 0; i < 100; ++i) {
    std::uint64_t one = 1;
    while (syscall(SYS_read, permits, &one, sizeof one) != sizeof one) {
    }
    ++counter;
    syscall(SYS_write, permits, &one, sizeof one);
  }
}
}  // namespace

int main() {
  permits = eventfd(1, EFD_SEMAPHORE);
  racelab::run_together(count, count);
  if (counter == 200) return 0;
  std::printf("corrupt: counted to 200, found %d\n", counter);
  return 1;
}
