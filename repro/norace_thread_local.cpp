// Threads that come one after another use a thread-local buffer, which may lie where the last one's lay.
// maps: none
// truth: no race: each thread has its own, and the memory is handed on by thread creation and end
// expect: tsan=clean gcc_tsan=clean watchpoint=none judge=no-report
#include <array>
#include <atomic>
#include <cstdio>
#include <thread>

#include "repro/support/gate.hpp"

namespace {
std::atomic<int> wrong{0};
thread_local std::array<int, 64> scratch{};

void use_scratch(int own) {
  for (int& each : scratch) {
    if (each != 0) wrong.fetch_add(1);
    each = own;
  }
}
}  // namespace

int main() {
  for (int round = 1; round <= 10; ++round)
    racelab::run_together([=] { use_scratch(round); }, [=] { use_scratch(-round); });
  if (wrong.load() == 0) return 0;
  std::printf("corrupt: %d cells of a new thread are not zero\n", wrong.load());
  return 1;
}
