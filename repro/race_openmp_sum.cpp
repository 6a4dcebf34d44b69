// A parallel loop sums up into a shared variable, and reduction(+) was forgotten.
// race: sum_up() W vs sum_up() W
// maps: none
// needs: openmp
// truth: race, corrupt: additions are lost
// expect: tsan=report gcc_tsan=report watchpoint=sometimes judge=confirmed
// shown: yes
#include <cstdio>

namespace {
long sum_up() {
  long sum = 0;
#pragma omp parallel for num_threads(2) shared(sum)
  for (int i = 0; i < 600; ++i) sum += 1;
  return sum;
}
}  // namespace

int main() {
  const long sum = sum_up();
  if (sum == 600) return 0;
  std::printf("corrupt: 600 ones make %ld\n", sum);
  return 1;
}
