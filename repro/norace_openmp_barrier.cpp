// Each thread of a parallel region writes its element, and reads its neighbour's after a barrier.
// maps: none
// needs: openmp
// truth: no race: the barrier is inside of the OpenMP library
// cause: openmp
// expect: tsan=report gcc_tsan=report watchpoint=none judge=likely-false
#include <array>
#include <cstddef>
#include <cstdio>

namespace {
constexpr std::size_t threads = 2;
using row = std::array<int, threads>;

void exchange(row& written, row& read) {
#pragma omp parallel for num_threads(threads) schedule(static, 1)
  for (std::size_t i = 0; i < threads; ++i) written.at(i) = 1;
#pragma omp parallel for num_threads(threads) schedule(static, 1)
  for (std::size_t i = 0; i < threads; ++i) read.at(i) = written.at((i + 1) % threads);
}
}  // namespace

int main() {
  for (int round = 0; round < 5; ++round) {
    row written{};
    row read{};
    exchange(written, read);
    for (const int each : read)
      if (each != 1) {
        std::printf("corrupt: a neighbour has %d\n", each);
        return 1;
      }
  }
}
