// References are counted down with acquire and release, and the last thread deletes.
// maps: none
// truth: no race: the last decrement acquires what all others have released
// expect: tsan=clean gcc_tsan=clean watchpoint=none judge=no-report
#include <atomic>
#include <cstdio>

#include "repro/support/gate.hpp"

namespace {
std::atomic<int> wrong{0};

struct counted {
  std::atomic<int> references{2};
  int value = 7;
};

void use_and_release(counted* object) {
  if (object->value != 7) wrong.fetch_add(1, std::memory_order_relaxed);
  // Publishes the use above, and acquires that of the others before the deletion.
  if (object->references.fetch_sub(1, std::memory_order_acq_rel) == 1) delete object;
}
}  // namespace

int main() {
  for (int round = 0; round < 5; ++round) {
    auto* const shared = new counted;
    racelab::run_together([&] { use_and_release(shared); }, [&] { use_and_release(shared); });
  }
  if (wrong.load() == 0) return 0;
  std::puts("corrupt: an object was used after its last release");
  return 1;
}
