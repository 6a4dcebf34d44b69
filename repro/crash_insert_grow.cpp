// Four threads insert into one map while it grows: each moves the table under the others.
// race: insert_or_assign() W vs insert_or_assign() W
// maps: unordered_map flat_map hmap_unchecked hmap
// expect: tsan=report write_flag=fatal watchpoint=caught
// fixes: all
// timeout: 300 ms
#include <cstdint>

#include RACELAB_MAP_HEADER
#include "repro/support/gate.hpp"
#include "repro/support/verifier.hpp"

namespace {
constexpr int threads = 4;
constexpr std::uint64_t each = 200;
}  // namespace

int main() {
  racelab::lab_map<std::uint64_t, std::uint64_t> m;

  racelab::run_together(threads, [&m](int thread) {
    const auto first = static_cast<std::uint64_t>(thread) * each;
    for (std::uint64_t key = first; key < first + each; ++key) m.insert_or_assign(key, ~key);
  });

  racelab::verifier check;
  for (std::uint64_t key = 0; key < threads * each; ++key) check.holds(m, key, ~key);
  check.consistent(m);
  return check.exit_code();
}
