// One thread appends to a vector while another sums it up: the sum walks an array that growth has freed.
// race: append() W vs sum() R
// maps: none
// truth: race, crash: the reader stands in freed memory, and may stop at an end that is not its array's
// expect: tsan=report gcc_tsan=report watchpoint=sometimes judge=confirmed
// shown: yes
#include <cstdio>
#include <vector>

#include "repro/support/gate.hpp"

namespace {
void append(std::vector<long>& values) {
  for (int i = 0; i < 500; ++i) values.push_back(1);
}

long sum(const std::vector<long>& values) {
  long total = 0;
  for (int round = 0; round < 50; ++round)
    for (const long each : values) total |= each;
  return total;
}
}  // namespace

int main() {
  std::vector<long> values{1};
  long total = 0;
  racelab::run_together([&] { append(values); }, [&] { total = sum(values); });
  if (total == 1) return 0;
  std::printf("corrupt: a sum over ones is %lx\n", static_cast<unsigned long>(total));
  return 1;
}
