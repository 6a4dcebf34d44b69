// Four threads make the map grow at once: a chain is turned around twice and becomes a ring.
// race: insert_or_assign() W vs insert_or_assign() W
// race: find() R vs insert_or_assign() W
// maps: chained_map
// expect: tsan=report watchpoint=caught
// fixes: all
// timeout: 500 ms
#include <cstdint>

#include RACELAB_MAP_HEADER
#include "repro/support/gate.hpp"
#include "repro/support/verifier.hpp"

namespace {
constexpr std::uint64_t full = 12;   // the next key makes a table of 16 grow
constexpr std::uint64_t step = 512;  // multiples of it share a chain, also in the grown tables
}  // namespace

int main() {
  racelab::lab_map<std::uint64_t, std::uint64_t> m;
  for (std::uint64_t i = 0; i < full; ++i) m.insert_or_assign(step * i, i);
  racelab::verifier check;

  racelab::run_together(4, [&m, &check](int thread) {
    for (std::uint64_t i = 0; i < 3 * full; ++i)
      m.insert_or_assign(step * (1000 * static_cast<std::uint64_t>(thread + 1) + i), i);
    // A search for a key that was never stored walks its chain to the end.
    for (std::uint64_t i = 0; i < full; ++i) check.lacks(m, step * (1'000'000 + i));
  });

  for (std::uint64_t i = 0; i < full; ++i) check.holds(m, step * i, i);
  check.consistent(m);
  return check.exit_code();
}
