// Each thread has its own shared_ptr: the count is atomic, what it points to is not.
// race: add() W vs add() W
// maps: none
// truth: race, corrupt: additions are lost
// expect: tsan=report gcc_tsan=report watchpoint=caught judge=confirmed
// shown: yes
#include <cstdio>
#include <memory>

#include "repro/support/gate.hpp"

namespace {
struct tally {
  int sum = 0;
};

[[gnu::noinline]] void add(tally& to) { to.sum += 1; }

void add_many(const std::shared_ptr<tally>& to) {
  for (int i = 0; i < 300; ++i) add(*to);
}
}  // namespace

int main() {
  const auto shared = std::make_shared<tally>();
  racelab::run_together([copy = shared] { add_many(copy); }, [copy = shared] { add_many(copy); });
  if (shared->sum == 600) return 0;
  std::printf("corrupt: 600 additions make %d\n", shared->sum);
  return 1;
}
