// The same ten threads and fifty keys, but let go all at once, as a busy server's would be.
// race: erase() W vs erase() W
// maps: unordered_map hmap
// expect: tsan=report write_flag=fatal watchpoint=caught
// fixes: all
#include <string>

#include RACELAB_MAP_HEADER
#include "repro/support/gate.hpp"
#include "repro/support/verifier.hpp"

namespace {
std::string key(int i) { return "key-" + std::to_string(i); }
}  // namespace

int main() {
  racelab::lab_map<std::string, int> m;
  for (int i = 0; i < 100; ++i) m.insert_or_assign(key(i), i);

  racelab::run_together(10, [&m](int /*thread*/) {
    for (int j = 0; j < 50; ++j) m.erase(key(j % 100));
  });

  racelab::verifier check;
  for (int i = 0; i < 50; ++i) check.lacks(m, key(i));
  for (int i = 50; i < 100; ++i) check.holds(m, key(i), i);
  check.consistent(m);
  return check.exit_code();
}
