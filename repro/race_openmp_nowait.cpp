// A loop says nowait, and the next one reads what other threads have not written yet.
// race: smooth() W vs smooth() R
// maps: none
// needs: openmp
// truth: race, corrupt: a sum with elements that are still zero
// expect: tsan=report gcc_tsan=report watchpoint=sometimes judge=confirmed
// shown: yes
#include <cstddef>
#include <cstdio>
#include <vector>

namespace {
constexpr std::size_t size = 120;

void smooth(std::vector<int>& raw, std::vector<int>& sums) {
#pragma omp parallel num_threads(2)
  {
#pragma omp for nowait
    for (std::size_t i = 0; i < size; ++i) raw[i] = 1;
#pragma omp for
    for (std::size_t i = 0; i < size; ++i) sums[i] = raw[i] + raw[size - 1 - i];
  }
}
}  // namespace

int main() {
  std::vector<int> raw(size);
  std::vector<int> sums(size);
  smooth(raw, sums);
  for (std::size_t i = 0; i < size; ++i)
    if (sums[i] != 2) {
      std::printf("corrupt: sum %zu is %d instead of 2\n", i, sums[i]);
      return 1;
    }
}
