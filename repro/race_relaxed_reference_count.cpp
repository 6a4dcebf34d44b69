// References are counted down with relaxed order: by the model the deletion may come before another thread's last use.
// race: use_and_release() R vs use_and_release() W
// maps: none
// truth: race, ordering only: a locked decrement is a full barrier on x86-64
// cause: relaxed-order
// expect: tsan=report gcc_tsan=sometimes watchpoint=none judge=ordering-only
// shown: no
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
  // Relaxed, wrongly: it should publish the use above to whoever comes to zero.
  if (object->references.fetch_sub(1, std::memory_order_relaxed) == 1) delete object;
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
