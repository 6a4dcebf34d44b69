// A process forks while another thread works: the child has a copy of its own.
// maps: none
// truth: no race: parent and child share no memory
// expect: tsan=clean gcc_tsan=clean watchpoint=none judge=no-report
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <thread>

namespace {
std::atomic<bool> stop{false};
volatile int value = 1;

void work() {
  while (!stop.load()) std::this_thread::yield();
}
}  // namespace

int main() {
  std::thread worker(work);
  const pid_t child = fork();
  if (child == 0) {
    value = value + 1;
    _exit(value);
  }
  value = value + 10;
  int status = 0;
  waitpid(child, &status, 0);
  stop.store(true);
  worker.join();
  if (value == 11 && WIFEXITED(status) && WEXITSTATUS(status) == 2) return 0;
  std::puts("corrupt: parent and child have met");
  return 1;
}
