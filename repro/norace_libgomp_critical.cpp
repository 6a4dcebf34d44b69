// A parallel region and a critical section of gcc's OpenMP library, called as g++ -fopenmp calls it.
// maps: none
// needs: gomp
// truth: no race: a critical section is a lock, inside of libgomp, which waits by futex calls of its own
// cause: openmp
// expect: tsan=report gcc_tsan=report watchpoint=none judge=likely-false
#include <cstdio>

extern "C" {
void gomp_parallel(void (*body)(void*), void* data, unsigned threads, unsigned flags) asm("GOMP_parallel");
void gomp_critical_start() asm("GOMP_critical_start");
void gomp_critical_end() asm("GOMP_critical_end");
}

namespace {
void count(void* data) {
  for (int i = 0; i < 100; ++i) {
    gomp_critical_start();
    *static_cast<int*>(data) += 1;
    gomp_critical_end();
  }
}
}  // namespace

int main() {
  int counter = 0;
  gomp_parallel(count, &counter, 2, 0);
  if (counter == 200) return 0;
  std::printf("corrupt: counted to 200, found %d\n", counter);
  return 1;
}
