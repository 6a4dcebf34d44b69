// Readers look for keys that are always there while a writer makes the map grow: they search a freed table.
// race: find() R vs insert_or_assign() W
// maps: unordered_map flat_map hmap_unchecked hmap
// expect: tsan=report write_flag=fatal watchpoint=caught
// fixes: all
#include <string>

#include RACELAB_MAP_HEADER
#include "repro/support/gate.hpp"
#include "repro/support/verifier.hpp"

namespace {
// Longer than a std::string keeps inside itself, so that a key that moves is freed.
std::string key(int i) { return "a key that lives on the heap " + std::to_string(i); }
constexpr int always_there = 8;
constexpr int grown = 400;
}  // namespace

int main() {
  racelab::lab_map<std::string, int> m;
  for (int i = 0; i < always_there; ++i) m.insert_or_assign(key(i), i);
  racelab::verifier check;

  const auto reader = [&m, &check] {
    for (int round = 0; round < 160; ++round)
      for (int i = 0; i < always_there; ++i) check.holds(m, key(i), i);
  };
  const auto writer = [&m] {
    for (int i = always_there; i < grown; ++i) m.insert_or_assign(key(i), i);
  };
  racelab::run_together(reader, reader, writer);

  for (int i = 0; i < grown; ++i) check.holds(m, key(i), i);
  check.consistent(m);
  return check.exit_code();
}
