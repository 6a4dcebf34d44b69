// A parallel loop with reduction(+): each thread sums up its own, and the library adds the sums.
// maps: none
// needs: openmp
// truth: no race: the library adds one thread's sum at a time
// cause: openmp
// expect: tsan=report gcc_tsan=report watchpoint=none judge=likely-false
#include <cstdio>
#include <vector>

namespace {
long sum_of(const std::vector<long>& values) {
  long sum = 0;
#pragma omp parallel for num_threads(2) reduction(+ : sum)
  for (const long each : values) sum += each;
  return sum;
}
}  // namespace

int main() {
  const long sum = sum_of(std::vector<long>(600, 1));
  if (sum == 600) return 0;
  std::printf("corrupt: 600 ones make %ld\n", sum);
  return 1;
}
