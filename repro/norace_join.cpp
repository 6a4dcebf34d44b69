// Threads that come and go by the dozen count in one variable, each started when the last one was joined.
// maps: none
// truth: no race: join() comes after the thread's end, and the next thread's start after that
// expect: tsan=clean gcc_tsan=clean watchpoint=none judge=no-report
#include <cstdio>
#include <thread>

namespace {
int counter = 0;

void count() {
  for (int i = 0; i < 10; ++i) ++counter;
}
}  // namespace

int main() {
  for (int i = 0; i < 40; ++i) std::thread(count).join();
  if (counter == 400) return 0;
  std::printf("corrupt: counted to 400, found %d\n", counter);
  return 1;
}
