// Two threads move list nodes under a lock that lets both in: the links are written inside of libstdc++.so, unseen.
// race: rotate() W vs rotate() W
// maps: none
// truth: race, corrupt: nodes are lost
// cause: uninstrumented-library
// expect: tsan=clean gcc_tsan=clean watchpoint=none judge=confirmed
// shown: yes
#include <cstdio>
#include <list>
#include <shared_mutex>

#include "repro/support/gate.hpp"

namespace {
std::list<int> shared;
std::shared_mutex lock;

void rotate() {
  for (int i = 0; i < 100; ++i) {
    const std::shared_lock hold(lock);
    shared.splice(shared.end(), shared, shared.begin());
  }
}
}  // namespace

int main() {
  for (int i = 0; i < 16; ++i) shared.push_back(i);
  racelab::run_together(rotate, rotate);
  int nodes = 0;
  for (auto at = shared.begin(); at != shared.end() && nodes <= 16; ++at) ++nodes;
  if (nodes == 16) return 0;
  std::printf("corrupt: the list has %d of 16 nodes\n", nodes);
  return 1;
}
