// A task fills a buffer and its parent reads it after taskwait.
// maps: none
// needs: openmp
// truth: no race: taskwait returns when the task has ended
// cause: openmp
// expect: tsan=sometimes gcc_tsan=sometimes watchpoint=none judge=likely-false
#include <array>
#include <cstdio>

namespace {
using buffer = std::array<int, 16>;

void fill(buffer& made) {
  for (int& each : made) each = 3;
}

int fill_and_sum(buffer& made) {
  int sum = 0;
#pragma omp parallel num_threads(2)
#pragma omp single
  {
#pragma omp task shared(made)
    fill(made);
#pragma omp taskwait
    for (const int each : made) sum += each;
  }
  return sum;
}
}  // namespace

int main() {
  for (int round = 0; round < 200; ++round) {
    buffer made{};
    const int sum = fill_and_sum(made);
    if (sum == 48) continue;
    std::printf("corrupt: the sum is %d\n", sum);
    return 1;
  }
}
