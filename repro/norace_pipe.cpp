// Pointers go through a pipe by read() and write().
// maps: none
// truth: no race: what is read from a pipe was written before
// expect: tsan=clean gcc_tsan=clean watchpoint=none judge=no-report
#include <unistd.h>

#include <array>
#include <cstdio>
#include <thread>

namespace {
constexpr int items = 50;
std::array<int, 2> ends{};
int sum = 0;

void send() {
  for (int i = 1; i <= items; ++i) {
    int* const item = new int(i);
    if (write(ends[1], static_cast<const void*>(&item), sizeof item) != sizeof item) return;
  }
}

void receive() {
  for (int i = 1; i <= items; ++i) {
    int* item = nullptr;
    if (read(ends[0], static_cast<void*>(&item), sizeof item) != sizeof item) return;
    sum += *item;
    delete item;
  }
}
}  // namespace

int main() {
  if (pipe(ends.data()) != 0) return 0;
  std::thread receiver(receive);
  send();
  receiver.join();
  if (sum == items * (items + 1) / 2) return 0;
  std::printf("corrupt: the sum is %d\n", sum);
  return 1;
}
