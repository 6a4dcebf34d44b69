// A reader walks a hand-made list without a lock while a writer unlinks and frees its nodes.
// race: unlink_first() W vs walk() R
// maps: none
// truth: race, crash: the reader follows a pointer out of a freed node
// expect: tsan=report gcc_tsan=report watchpoint=caught judge=confirmed
// shown: yes
#include <cstdio>

#include "repro/support/gate.hpp"

namespace {
struct node {
  node* next;
  int value;
};
node* first = nullptr;

void unlink_first() {
  for (int i = 0; i < 100; ++i) {
    node* const gone = first;
    first = gone->next;
    delete gone;
  }
}

int walk() {
  int values = 0;
  for (const node* at = first; at != nullptr; at = at->next) values |= at->value;
  return values;
}
}  // namespace

int main() {
  for (int i = 0; i < 101; ++i) first = new node{first, 1};
  int seen = 0;
  racelab::run_together(unlink_first, [&] {
    for (int i = 0; i < 20; ++i) seen |= walk();
  });
  delete first;
  if (seen == 1) return 0;
  std::printf("corrupt: a list of ones has %x in it\n", static_cast<unsigned>(seen));
  return 1;
}
