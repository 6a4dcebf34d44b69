// A pointer goes through a pipe by raw system calls, as runtimes without libc make them.
// maps: none
// truth: no race: what is read from a pipe was written before
// cause: raw-syscall
// expect: tsan=report gcc_tsan=report watchpoint=none judge=likely-false
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <thread>

namespace {
std::array<int, 2> ends{};
int message = 0;
int received = 0;

void send() {
  message = 42;
  const char token = 'x';
  syscall(SYS_write, ends[1], &token, 1);
}

void receive() {
  char token = 0;
  if (syscall(SYS_read, ends[0], &token, 1) == 1) received = message;
}
}  // namespace

int main() {
  if (pipe(ends.data()) != 0) return 0;
  std::thread receiver(receive);
  send();
  receiver.join();
  if (received == 42) return 0;
  std::printf("corrupt: received %d\n", received);
  return 1;
}
