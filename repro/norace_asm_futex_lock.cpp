// A lock of an assembly exchange and raw futex calls, as a runtime without libpthread has it: who has to wait sleeps.
// maps: none
// truth: no race: the exchange is a full barrier, and the futex call only sleeps
// cause: asm-lock
// expect: tsan=report gcc_tsan=report watchpoint=none judge=likely-false
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <mutex>

#include "repro/support/gate.hpp"

namespace {
class futex_lock {
 public:
  void lock() {
    while (exchange(2) != 0) syscall(SYS_futex, &word_, FUTEX_WAIT_PRIVATE, 2, nullptr, nullptr, 0);
  }
  void unlock() {
    if (exchange(0) == 2) syscall(SYS_futex, &word_, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
  }

 private:
  int exchange(int value) {
    asm volatile("xchgl %0, %1" : "+r"(value), "+m"(word_)::"memory");
    return value;
  }
  int word_ = 0;  // 0 free, 2 taken, perhaps waited for
};
futex_lock lock;
int counter = 0;

void count() {
  for (int i = 0; i < 300; ++i) {
    const std::scoped_lock hold(lock);
    ++counter;
  }
}
}  // namespace

int main() {
  racelab::run_together(count, count);
  if (counter == 600) return 0;
  std::printf("corrupt: counted to 600, found %d\n", counter);
  return 1;
}
