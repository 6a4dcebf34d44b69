// Threads write their element, meet at a std::barrier and read their neighbour's.
// maps: none
// truth: no race: whoever leaves the barrier comes after all who have entered it
// expect: tsan=clean gcc_tsan=clean watchpoint=none judge=no-report
#include <array>
#include <barrier>
#include <cstddef>
#include <cstdio>

#include "repro/support/gate.hpp"

namespace {
constexpr int threads = 3;
std::barrier meeting(threads);
std::array<int, threads> cells{};
std::array<bool, threads> wrong{};

void step(std::size_t own) {
  for (int round = 1; round <= 20; ++round) {
    cells.at(own) = round;
    meeting.arrive_and_wait();
    wrong.at(own) |= cells.at((own + 1) % threads) != round;
    meeting.arrive_and_wait();
  }
}
}  // namespace

int main() {
  racelab::run_together(threads, [](int thread) { step(static_cast<std::size_t>(thread)); });
  if (!wrong[0] && !wrong[1] && !wrong[2]) return 0;
  std::puts("corrupt: a neighbour is in another round");
  return 1;
}
