// Two threads insert keys of their own into one std::map: its tree is turned around under the other's feet.
// race: add_keys() W vs add_keys() W
// maps: none
// truth: race, crash: links of the tree are lost, and some lead nowhere
// expect: tsan=report gcc_tsan=report watchpoint=caught judge=confirmed
// shown: yes
#include <cstdio>
#include <map>

#include "repro/support/gate.hpp"

namespace {
std::map<int, int> tree;

void add_keys(int first) {
  for (int key = first; key < 300; key += 2) tree[key] = key;
}
}  // namespace

int main() {
  racelab::run_together([] { add_keys(0); }, [] { add_keys(1); });
  if (tree.size() == 300) return 0;
  std::printf("corrupt: the tree counts %zu of 300 keys\n", tree.size());
  return 1;
}
