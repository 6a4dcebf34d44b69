// A cache is cleared and refilled while readers look things up: what they compare and copy is freed.
// race: find() R vs clear() W
// race: find() R vs insert_or_assign() W
// maps: unordered_map flat_map hmap
// expect: tsan=report write_flag=fatal watchpoint=caught
// fixes: all
// not: libcuckoo_map: each clear() takes 65,536 locks, and 200 of them eight seconds under ThreadSanitizer
#include <string>

#include RACELAB_MAP_HEADER
#include "repro/support/gate.hpp"
#include "repro/support/verifier.hpp"

namespace {
std::string key(int i) { return "a key that lives on the heap " + std::to_string(i); }
constexpr int keys = 2;
constexpr int rounds = 200;
}  // namespace

int main() {
  racelab::lab_map<std::string, std::string> m;
  for (int i = 0; i < keys; ++i) m.insert_or_assign(key(i), key(i));
  racelab::verifier check;

  const auto reader = [&m, &check] {
    for (int round = 0; round < rounds; ++round)
      for (int i = 0; i < keys; ++i)
        if (const auto found = m.find(key(i)))
          check.that(*found == key(i), "find() returned what was never stored");
  };
  const auto owner = [&m] {
    for (int round = 0; round < rounds; ++round) {
      m.clear();
      for (int i = 0; i < keys; ++i) m.insert_or_assign(key(i), key(i));
    }
  };
  racelab::run_together(reader, reader, owner);

  for (int i = 0; i < keys; ++i) check.holds(m, key(i), key(i));
  check.consistent(m);
  return check.exit_code();
}
