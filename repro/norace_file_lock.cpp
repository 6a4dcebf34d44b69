// Threads that count under flock(), each on a file description of its own.
// maps: none
// truth: no race: the kernel grants the lock to one description at a time
// cause: unintercepted-call
// expect: tsan=report gcc_tsan=report watchpoint=none judge=likely-false
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cstdio>

#include "repro/support/gate.hpp"

namespace {
int counter = 0;

void count() {
  const int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  for (int i = 0; i < 100; ++i) {
    while (flock(file, LOCK_EX) != 0) {
    }
    ++counter;
    flock(file, LOCK_UN);
  }
  close(file);
}
}  // namespace

int main() {
  racelab::run_together(count, count);
  if (counter == 200) return 0;
  std::printf("corrupt: counted to 200, found %d\n", counter);
  return 1;
}
