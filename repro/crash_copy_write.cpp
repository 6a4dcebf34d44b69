// One thread copies the map while another deletes its entry and stores it again: the copy reads what is freed.
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
constexpr int rounds = 300;
}  // namespace

int main() {
  const std::string key = "a key that lives on the heap";
  racelab::lab_map<std::string, std::string> m;
  m.insert_or_assign(key, key);
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
  const auto writer = [&m, &key] {
    for (int round = 0; round < rounds; ++round) {
      m.erase(key);
      m.insert_or_assign(key, key);
    }
  };
  racelab::run_together(copier, writer);

  check.holds(m, key, key);
  check.consistent(m);
  return check.exit_code();
}
