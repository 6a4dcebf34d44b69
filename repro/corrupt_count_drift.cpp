// Four threads delete keys of their own: no entry is shared, but all of them count the same counter down.
// race: erase() W vs erase() W
// maps: unordered_map flat_map hmap_unchecked hmap
// expect: tsan=report write_flag=fatal watchpoint=caught
// fixes: all
// not: sync_map: it has no size(), as Go's has none, for it does not know how many of its keys are deleted
// not: boost_concurrent_map: it has no size(), for the library counts an entry before the entry can be found
#include <cstdint>

#include RACELAB_MAP_HEADER
#include "repro/support/gate.hpp"
#include "repro/support/verifier.hpp"

namespace {
constexpr int threads = 4;
constexpr std::uint64_t keys = 400;
}  // namespace

int main() {
  racelab::lab_map<std::uint64_t, std::uint64_t> m;
  for (std::uint64_t key = 0; key < keys; ++key) m.insert_or_assign(key, key);

  racelab::run_together(threads, [&m](int thread) {
    // A hundred keys each, of which the first half is deleted.
    const auto first = static_cast<std::uint64_t>(thread) * (keys / threads);
    for (std::uint64_t key = first; key < first + keys / threads / 2; ++key) m.erase(key);
  });

  racelab::verifier check;
  check.that(m.size() == keys / 2, "size() is not the number of keys that were left");
  check.consistent(m);
  return check.exit_code();
}
