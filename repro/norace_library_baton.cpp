// Two threads take turns on one table: a library that was built without ThreadSanitizer passes it back and forth.
// maps: none
// uninstrumented: handoff
// truth: no race: who holds the pointer has exclusive use, and passing it synchronises
// cause: uninstrumented-library
// expect: tsan=report gcc_tsan=report watchpoint=none judge=likely-false
#include <cstdio>
#include <string>
#include <unordered_map>

#include "repro/support/gate.hpp"
#include "repro/support/uninstrumented/handoff.hpp"

namespace {
using table = std::unordered_map<int, std::string>;

void take_turns(int first) {
  for (int key = first; key < 60; key += 2) {
    auto* const mine = static_cast<table*>(racelab::handoff_take());
    (*mine)[key] = std::to_string(key);
    racelab::handoff_put(mine);
  }
}
}  // namespace

int main() {
  table shared;
  racelab::handoff_put(&shared);
  racelab::run_together([] { take_turns(0); }, [] { take_turns(1); });
  if (shared.size() == 60 && racelab::handoff_take() == &shared) return 0;
  std::printf("corrupt: %zu keys of 60\n", shared.size());
  return 1;
}
