// A delete publishes its snapshot by compare-and-swap and skips when that fails: the key stays.
// race: erase() W vs erase() W
// maps: seed_cas_snapshot
// expect: tsan=clean watchpoint=none
// fixes: all
//
// No data race: every access that two threads share is atomic. No detector of races can see this one.
#include <string>

#include RACELAB_MAP_HEADER
#include "repro/support/gate.hpp"
#include "repro/support/verifier.hpp"

namespace {
std::string key(int i) { return "key-" + std::to_string(i); }
constexpr int threads = 4;
constexpr int each = 20;
}  // namespace

int main() {
  racelab::lab_map<std::string, int> m;
  for (int i = 0; i < threads * each; ++i) m.insert_or_assign(key(i), i);

  racelab::run_together(threads, [&m](int thread) {
    for (int i = thread * each; i < (thread + 1) * each; ++i) m.erase(key(i));
  });

  racelab::verifier check;
  for (int i = 0; i < threads * each; ++i) check.lacks(m, key(i));
  check.consistent(m);
  return check.exit_code();
}
