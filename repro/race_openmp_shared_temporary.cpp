// A parallel loop keeps its intermediate result in a variable outside of the loop, which all threads share.
// race: square_all() W vs square_all() W
// maps: none
// needs: openmp
// truth: race, corrupt: one thread stores another's square
// expect: tsan=report gcc_tsan=report watchpoint=sometimes judge=confirmed
// shown: yes
#include <cstdio>
#include <numeric>
#include <vector>

namespace {
void square_all(std::vector<int>& values) {
  int square = 0;
#pragma omp parallel for num_threads(2) shared(square)
  for (int& each : values) {
    square = each * each;
    each = square;
  }
}
}  // namespace

int main() {
  std::vector<int> values(300);
  std::iota(values.begin(), values.end(), 0);
  square_all(values);
  int number = 0;
  for (const int square : values) {
    if (square != number * number) {
      std::printf("corrupt: the square of %d is %d\n", number, square);
      return 1;
    }
    ++number;
  }
}
