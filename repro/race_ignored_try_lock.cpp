// Whether try_lock() got the lock is not looked at: who did not get it goes on all the same.
// race: add_line() W vs add_line() W
// maps: none
// truth: race, corrupt: lines overwrite each other
// cause: masked-order
// expect: tsan=sometimes gcc_tsan=sometimes watchpoint=caught judge=confirmed
// shown: yes
#include <array>
#include <cstddef>
#include <cstdio>
#include <mutex>

#include "repro/support/gate.hpp"

namespace {
std::mutex lock;
std::size_t used = 0;
std::array<int, 512> lines{};

void add_line(int text) {
  const bool mine = lock.try_lock();
  lines.at(used) = text;
  ++used;
  if (mine) lock.unlock();
}
}  // namespace

int main() {
  racelab::run_together(2, [](int thread) {
    for (int i = 0; i < 200; ++i) add_line(thread + 1);
  });
  if (used == 400) return 0;
  std::printf("corrupt: %zu lines instead of 400\n", used);
  return 1;
}
