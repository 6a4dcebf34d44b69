// Two threads fill the halves of an array, and one counts its end as inside: they meet at one element of a thousand.
// race: fill() W vs fill() W
// maps: none
// truth: race, corrupt: the element in the middle has been counted once instead of twice
// expect: tsan=report gcc_tsan=report watchpoint=sometimes judge=confirmed
// shown: yes
#include <cstddef>
#include <cstdio>
#include <vector>

#include "repro/support/gate.hpp"

namespace {
void fill(std::vector<int>& values, std::size_t first, std::size_t last) {
  for (std::size_t i = first; i <= last; ++i) values[i] += 1;
}
}  // namespace

int main() {
  std::vector<int> values(1000);
  racelab::run_together([&] { fill(values, 0, 500); }, [&] { fill(values, 500, 999); });
  if (values[500] == 2) return 0;
  std::printf("corrupt: the middle is %d\n", values[500]);
  return 1;
}
