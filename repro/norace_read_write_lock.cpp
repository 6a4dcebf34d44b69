// Readers walk a map under a shared lock, a writer changes it under the exclusive one.
// maps: none
// truth: no race: readers shut out the writer, and read only
// expect: tsan=clean gcc_tsan=clean watchpoint=none judge=no-report
#include <atomic>
#include <cstdio>
#include <map>
#include <mutex>
#include <shared_mutex>

#include "repro/support/gate.hpp"

namespace {
std::shared_mutex lock;
std::map<int, int> squares{{0, 0}};
std::atomic<bool> wrong{false};

void set_squares() {
  for (int i = 1; i < 60; ++i) {
    const std::unique_lock hold(lock);
    squares[i] = i * i;
  }
}

void check_squares() {
  for (int i = 0; i < 40; ++i) {
    const std::shared_lock hold(lock);
    for (const auto& [key, square] : squares)
      if (square != key * key) wrong.store(true);
  }
}
}  // namespace

int main() {
  racelab::run_together(set_squares, check_squares, check_squares);
  if (!wrong.load()) return 0;
  std::puts("corrupt: a square is wrong");
  return 1;
}
