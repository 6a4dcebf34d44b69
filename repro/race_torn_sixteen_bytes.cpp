// A range is kept as two 8-byte ends: a reader between the two stores sees an end that lies before the beginning.
// race: advance() W vs check() R
// maps: none
// truth: race, corrupt: a range that never was
// expect: tsan=report gcc_tsan=report watchpoint=caught judge=confirmed
// shown: yes
#include <cstdint>
#include <cstdio>

#include "repro/support/gate.hpp"

namespace {
struct range {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};
range window;
bool torn = false;

[[gnu::noinline]] void advance(std::uint64_t to) { window = {to, to + 10}; }

[[gnu::noinline]] void check() {
  const range seen = window;
  torn |= seen.end < seen.begin;
}
}  // namespace

int main() {
  racelab::run_together(
      [] {
        for (std::uint64_t i = 0; i < 500; ++i) advance(i * 100);
      },
      [] {
        for (int i = 0; i < 500; ++i) check();
      });
  if (!torn) return 0;
  std::puts("corrupt: a range ends before it begins");
  return 1;
}
