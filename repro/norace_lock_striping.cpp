// A table of four parts, each with a lock of its own: threads touch parts at random.
// maps: none
// truth: no race: each part is touched under its own lock
// expect: tsan=clean gcc_tsan=clean watchpoint=none judge=no-report
#include <array>
#include <cstdio>
#include <mutex>
#include <unordered_map>

#include "repro/support/gate.hpp"

namespace {
struct part {
  std::mutex lock;
  std::unordered_map<unsigned, int> entries;
};
std::array<part, 4> parts;

void add(unsigned key) {
  part& own = parts.at(key % parts.size());
  const std::scoped_lock hold(own.lock);
  own.entries[key] += 1;
}
}  // namespace

int main() {
  racelab::run_together(3, [](int) {
    for (unsigned i = 0; i < 100; ++i) add(i * 7 % 50);
  });
  int sum = 0;
  for (const part& each : parts)
    for (const auto& [key, count] : each.entries) sum += count;
  if (sum == 300) return 0;
  std::printf("corrupt: the counts sum up to %d\n", sum);
  return 1;
}
