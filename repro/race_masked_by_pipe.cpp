// Both threads write a line to the same pipe after and before they change a value: ThreadSanitizer takes the pipe for an order.
// race: change_and_tell() W vs tell_and_change() W
// maps: none
// truth: race, corrupt: writing to a pipe waits for nobody, so the changes may meet
// cause: masked-order
// expect: tsan=sometimes gcc_tsan=sometimes watchpoint=sometimes judge=confirmed
// shown: yes
#include <unistd.h>

#include <array>
#include <cstdio>
#include <thread>

namespace {
std::array<int, 2> ends{};
int total = 0;
int told = 0;

bool tell() { return write(ends[1], "x", 1) == 1; }

void change_and_tell() {
  total += 1;
  told += tell() ? 1 : 0;
}

void tell_and_change() {
  char line = 0;
  if (read(ends[0], &line, 1) == 1) total += 1;
}
}  // namespace

int main() {
  if (pipe(ends.data()) != 0) return 0;
  tell();
  std::thread first(change_and_tell);
  std::thread second(tell_and_change);
  first.join();
  second.join();
  if (total == 2 && told == 1) return 0;
  std::printf("corrupt: the total is %d\n", total);
  return 1;
}
