// The owner moves the map into another while a worker still looks things up in it.
// race: find() R vs move W
// race: find() R vs destructor W
// maps: unordered_map flat_map hmap_unchecked hmap
// expect: tsan=report write_flag=fatal watchpoint=caught
// fixes: none
// not: all: moving takes the contents away from under whoever still holds the old map, locked or not
#include <string>
#include <utility>

#include RACELAB_MAP_HEADER
#include "repro/support/gate.hpp"
#include "repro/support/verifier.hpp"

namespace {
std::string key(int i) { return "a key that lives on the heap " + std::to_string(i); }
constexpr int keys = 100;
}  // namespace

int main() {
  racelab::lab_map<std::string, std::string> m;
  for (int i = 0; i < keys; ++i) m.insert_or_assign(key(i), key(i));
  racelab::verifier check;

  const auto worker = [&m, &check] {
    for (int i = 0; i < keys; ++i) check.holds(m, key(i), key(i));
  };
  const auto owner = [&m, &check] {
    const auto taken = std::move(m);
    check.consistent(taken);
  };
  racelab::run_together(worker, owner);

  return check.exit_code();
}
