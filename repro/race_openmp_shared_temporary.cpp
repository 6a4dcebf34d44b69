// A parallel loop keeps its intermediate result in a variable outside of the loop, which all threads share.
// race: square_all() W vs square_all() W
// maps: none
// needs: openmp
// truth: race, corrupt: one thread stores another's square
// expect: tsan=report gcc_tsan=report watchpoint=sometimes judge=confirmed
// shown: yes
#include <cstddef>
#include <cstdio>
#include <vector>

namespace {
void square_all(std::vector<int>& values) {
  int square = 0;
#pragma omp parallel for num_threads(2) shared(square)
  for (std::size_t i = 0; i < values.size(); ++i) {
    square = values[i] * values[i];
    values[i] = square;
  }
}
}  // namespace

int main() {
  std::vector<int> values(300);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<int>(i);
  square_all(values);
  for (std::size_t i = 0; i < values.size(); ++i)
    if (values[i] != static_cast<int>(i * i)) {
      std::printf("corrupt: the square of %zu is %d\n", i, values[i]);
      return 1;
    }
}
