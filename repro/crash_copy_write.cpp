// One thread copies the map while another deletes and stores entries: the copy reads what is freed.
// race: copy R vs insert_or_assign() W
// race: copy R vs erase() W
// maps: unordered_map flat_map hmap_unchecked hmap
// expect: tsan=report write_flag=fatal watchpoint=caught
// fixes: all
// not: sync_map: it can't be copied, as Go's must not be
// not: libcuckoo_map: a copy makes and takes 65,536 locks, which 300 times over outlasts a trial under ThreadSanitizer
#include <string>

#include RACELAB_MAP_HEADER
#include "repro/support/gate.hpp"
#include "repro/support/verifier.hpp"

namespace {
std::string key(int i) { return "a key that lives on the heap " + std::to_string(i); }
constexpr int keys = 3;
constexpr int rounds = 300;
}  // namespace

int main() {
  racelab::lab_map<std::string, std::string> m;
  for (int i = 0; i < keys; ++i) m.insert_or_assign(key(i), key(i));
  racelab::verifier check;

  const auto copier = [&m, &check] {
    for (int round = 0; round < rounds; ++round) {
      const auto copy = m;
      check.consistent(copy);
      copy.for_each([&check](const std::string& k, const std::string& v) {
        check.that(k == v, "a copy has a torn entry");
      });
    }
  };
  const auto writer = [&m] {
    for (int round = 0; round < rounds; ++round)
      for (int i = 0; i < keys; ++i) {
        m.erase(key(i));
        m.insert_or_assign(key(i), key(i));
      }
  };
  racelab::run_together(copier, writer);

  for (int i = 0; i < keys; ++i) check.holds(m, key(i), key(i));
  check.consistent(m);
  return check.exit_code();
}
