// Two threads change one value without a lock, and take a mutex for something else: in most schedules that orders them by chance.
// race: before_lock() W vs after_lock() W
// maps: none
// truth: race, corrupt: in the other order of the two locks nothing stands between the changes
// cause: masked-order
// expect: tsan=sometimes gcc_tsan=sometimes watchpoint=sometimes judge=confirmed
// shown: yes
#include <cstdio>
#include <mutex>
#include <thread>

namespace {
std::mutex journal;
int lines = 0;
int total = 0;

void log_line() {
  const std::scoped_lock hold(journal);
  ++lines;
}

void before_lock() {
  total += 1;
  log_line();
}

void after_lock() {
  log_line();
  total += 1;
}
}  // namespace

int main() {
  std::thread first(before_lock);
  std::thread second(after_lock);
  first.join();
  second.join();
  if (total == 2 && lines == 2) return 0;
  std::printf("corrupt: the total is %d\n", total);
  return 1;
}
