// A parallel region counts in a critical section.
// maps: none
// needs: openmp
// truth: no race: a critical section is a lock, inside of the OpenMP library
// cause: openmp
// expect: tsan=report gcc_tsan=report watchpoint=none judge=likely-false
#include <cstdio>

namespace {
int count() {
  int counter = 0;
#pragma omp parallel num_threads(2) shared(counter)
  for (int i = 0; i < 100; ++i) {
#pragma omp critical
    counter += 1;
  }
  return counter;
}
}  // namespace

int main() {
  const int counted = count();
  if (counted == 200) return 0;
  std::printf("corrupt: counted to 200, found %d\n", counted);
  return 1;
}
