// Two threads fill the halves of an array, up to the element and not beyond.
// maps: none
// truth: no race: no element belongs to both
// expect: tsan=clean gcc_tsan=clean watchpoint=none judge=no-report
#include <cstdio>
#include <vector>

#include "repro/support/gate.hpp"

namespace {
void fill(std::vector<char>& values, std::size_t first, std::size_t last) {
  for (std::size_t i = first; i < last; ++i) values[i] = static_cast<char>(values[i] + 1);
}
}  // namespace

int main() {
  std::vector<char> values(1001);
  racelab::run_together([&] { fill(values, 0, 501); }, [&] { fill(values, 501, 1001); });
  for (const char each : values)
    if (each != 1) {
      std::puts("corrupt: an element was not filled once");
      return 1;
    }
}
