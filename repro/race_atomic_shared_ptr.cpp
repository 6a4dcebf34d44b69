// Readers load a std::atomic<std::shared_ptr> while a writer stores: libstdc++'s load() unlocks with relaxed order.
// race: look() R vs replace() W
// maps: none
// truth: race, ordering only: by the model the reader's look at the pointer is not ordered before the next store (libstdc++ 12)
// cause: libstdcxx-atomic-shared-ptr
// expect: tsan=sometimes gcc_tsan=report watchpoint=none judge=ordering-only
// shown: no
#include <atomic>
#include <cstdio>
#include <memory>

#include "repro/support/gate.hpp"

namespace {
std::atomic<std::shared_ptr<const int>> latest{std::make_shared<const int>(7)};
bool wrong = false;

void replace() {
  for (int i = 0; i < 500; ++i) latest.store(std::make_shared<const int>(7));
}

void look() {
  for (int i = 0; i < 500; ++i) wrong |= *latest.load() != 7;
}
}  // namespace

int main() {
  racelab::run_together(replace, look);
  if (!wrong) return 0;
  std::puts("corrupt: every value is 7, and another was read");
  return 1;
}
