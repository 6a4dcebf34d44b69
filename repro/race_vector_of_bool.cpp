// Two threads own different elements of a std::vector<bool>: eight of them share a byte, 64 a word.
// race: mark() W vs mark() W
// maps: none
// truth: race, corrupt: a mark is lost
// expect: tsan=report gcc_tsan=report watchpoint=caught judge=confirmed
// shown: yes
#include <cstddef>
#include <cstdio>
#include <vector>

#include "repro/support/gate.hpp"

namespace {
void mark(std::vector<bool>& done, std::size_t first) {
  for (std::size_t i = first; i < done.size(); i += 2) done[i] = true;
}
}  // namespace

int main() {
  std::vector<bool> done(400);
  racelab::run_together([&] { mark(done, 0); }, [&] { mark(done, 1); });
  for (std::size_t i = 0; i < done.size(); ++i)
    if (!done[i]) {
      std::printf("corrupt: element %zu is not marked\n", i);
      return 1;
    }
}
