// Four threads insert keys of their own into a map with room for all: some of them are gone afterwards.
// race: insert_or_assign() W vs insert_or_assign() W
// maps: unordered_map flat_map hmap_unchecked hmap
// expect: tsan=report write_flag=fatal watchpoint=caught
// fixes: all
#include <cstdint>

#include RACELAB_MAP_HEADER
#include "repro/support/gate.hpp"
#include "repro/support/verifier.hpp"

namespace {
constexpr int threads = 4;
constexpr std::uint64_t each = 50;
}  // namespace

int main() {
  racelab::lab_map<std::uint64_t, std::uint64_t> m;
  // Grown and emptied by one thread: growth is crash_insert_grow's matter.
  for (std::uint64_t key = 0; key < 4 * each * threads; ++key) m.insert_or_assign(key, key);
  for (std::uint64_t key = 0; key < 4 * each * threads; ++key) m.erase(key);

  racelab::run_together(threads, [&m](int thread) {
    const auto first = static_cast<std::uint64_t>(thread) * each;
    for (std::uint64_t key = first; key < first + each; ++key) m.insert_or_assign(key, ~key);
  });

  racelab::verifier check;
  for (std::uint64_t key = 0; key < threads * each; ++key) check.holds(m, key, ~key);
  check.consistent(m);
  return check.exit_code();
}
