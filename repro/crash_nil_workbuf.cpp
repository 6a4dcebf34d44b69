// Workers steal from one pool: what had work a moment ago hands out null, and the third call reads it.
// race: drain() R vs drain() W
// maps: seed_workbuf_pool
// expect: tsan=clean watchpoint=none
// fixes: workbuf_pool
//
// No data race: every access is locked or atomic. With one worker nothing can go wrong.
#include <atomic>

#include RACELAB_MAP_HEADER
#include "repro/support/gate.hpp"
#include "repro/support/verifier.hpp"

namespace {
constexpr int workers = 4;
constexpr int rounds = 200;
}  // namespace

int main() {
  using pool = racelab::lab_map<int, int>;
  pool work;
  std::atomic<int> scanned{0};

  racelab::run_together(workers, [&](int worker) {
    for (int round = 0; round < rounds; ++round) {
      work.put_full(new pool::workbuf{worker, 1});
      work.drain([&scanned](int /*worker*/, int items) { scanned.fetch_add(items); });
    }
  });

  racelab::verifier check;
  check.that(scanned.load() == workers * rounds, "a buffer was scanned twice, or not at all");
  return check.exit_code();
}
