// One thread walks the map while two others delete and store entries: it stands on one that is freed.
// race: for_each() R vs erase() W
// race: for_each() R vs insert_or_assign() W
// race: erase() W vs erase() W
// race: erase() W vs insert_or_assign() W
// race: insert_or_assign() W vs insert_or_assign() W
// maps: unordered_map flat_map hmap_unchecked hmap checked_unordered_map
// expect: tsan=report write_flag=fatal watchpoint=caught
// fixes: all
// timeout: 500 ms
#include <string>

#include RACELAB_MAP_HEADER
#include "repro/support/gate.hpp"
#include "repro/support/verifier.hpp"

namespace {
std::string key(int i) { return "a key that lives on the heap " + std::to_string(i); }
constexpr int keys = 8;
constexpr int rounds = 20;
}  // namespace

int main() {
  racelab::lab_map<std::string, std::string> m;
  for (int i = 0; i < keys; ++i) m.insert_or_assign(key(i), key(i));
  racelab::verifier check;

  const auto walker = [&m, &check] {
    for (int round = 0; round < rounds; ++round)
      m.for_each([&check](const std::string& k, const std::string& v) {
        check.that(k == v, "a walk met a torn entry");
      });
  };
  const auto writer = [&m](int first) {
    for (int round = 0; round < rounds; ++round)
      for (int i = first; i < keys; i += 2) {
        m.erase(key(i));
        m.insert_or_assign(key(i), key(i));
      }
  };
  racelab::run_together(walker, [&] { writer(0); }, [&] { writer(1); });

  for (int i = 0; i < keys; ++i) check.holds(m, key(i), key(i));
  check.consistent(m);
  return check.exit_code();
}
