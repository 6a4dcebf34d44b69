// Ten threads delete the same keys from one map, as fast as they can, until the write flag ends it. The map is empty,
// so nothing else can.
#include <string>
#include <unordered_map>

#include "repro/support/gate.hpp"
#include "sanitizers/write_flag/checked.hpp"

using scores = racelab::checked<std::unordered_map<std::string, int>>;

[[noreturn, gnu::noinline]] static void drop_them_all(scores& map) {
  for (unsigned i = 0;; ++i) map.erase("key-" + std::to_string(i % 1000));
}

int main() {
  scores map;
  racelab::run_together(10, [&](int) { drop_them_all(map); });
}
