// A cache clears its old snapshot before it publishes the new one: readers walk freed entries.
// race: find() R vs erase() W
// race: find() R vs insert_or_assign() W
// maps: seed_hybrid_cache
// expect: tsan=report watchpoint=caught
// fixes: all
#include <string>

#include RACELAB_MAP_HEADER
#include "repro/support/gate.hpp"
#include "repro/support/verifier.hpp"

namespace {
std::string key(int i) { return "a key that lives on the heap " + std::to_string(i); }
constexpr int keys = 16;
constexpr int rounds = 200;
}  // namespace

int main() {
  racelab::lab_map<std::string, std::string> m;
  for (int i = keys / 2; i < keys; ++i) m.insert_or_assign(key(i), key(i));
  racelab::verifier check;

  // The upper half is never deleted: a reader finds it at any time.
  const auto reader = [&m, &check] {
    for (int round = 0; round < rounds; ++round)
      for (int i = keys / 2; i < keys; ++i) check.holds(m, key(i), key(i));
  };
  const auto deleter = [&m] {
    for (int i = 0; i < rounds; ++i) {
      m.insert_or_assign(key(i % (keys / 2)), key(i));
      m.erase(key(i % (keys / 2)));
    }
  };
  racelab::run_together(reader, reader, deleter);

  for (int i = 0; i < keys / 2; ++i) check.lacks(m, key(i));
  for (int i = keys / 2; i < keys; ++i) check.holds(m, key(i), key(i));
  check.consistent(m);
  return check.exit_code();
}
