// The blog post's experiment on the remedy sync_map: a walk during deletions may or may not meet them, and races with none.
// maps: none
// remedy: sync_map
// truth: no race: sync_map's walk is weakly consistent, and each step of it is synchronised
// expect: tsan=clean gcc_tsan=clean watchpoint=none judge=no-report
#include <cstdio>
#include <string>

#include RACELAB_MAP_HEADER
#include "repro/support/gate.hpp"

namespace {
racelab::lab_map<int, std::string> users;
bool torn = false;

void walk() {
  users.for_each([](int id, const std::string& name) { torn |= name != std::to_string(id); });
}

void erase_half() {
  for (int id = 0; id < 50; ++id) users.erase(id);
}
}  // namespace

int main() {
  for (int id = 0; id < 100; ++id) users.insert_or_assign(id, std::to_string(id));
  racelab::run_together(
      [] {
        for (int round = 0; round < 10; ++round) walk();
      },
      erase_half);
  if (!torn && !users.find(0) && users.find(99)) return 0;
  std::puts("corrupt: the walk met an entry that is not one");
  return 1;
}
