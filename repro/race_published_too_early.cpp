// An object is published, by an atomic and in the right order, before it is filled.
// race: publish() W vs consume() R
// maps: none
// truth: race, corrupt: who comes between sees an empty object
// expect: tsan=report gcc_tsan=report watchpoint=caught judge=confirmed
// shown: yes
#include <atomic>
#include <cstdio>
#include <thread>

#include "repro/support/gate.hpp"

namespace {
struct job {
  int width = 0;
  int height = 0;
};
job only;
std::atomic<job*> current{nullptr};
int area = 0;

void publish() {
  current.store(&only);
  only.width = 6;
  only.height = 7;
}

void consume() {
  while (current.load() == nullptr) std::this_thread::yield();
  area = current.load()->width * current.load()->height;
}
}  // namespace

int main() {
  racelab::run_together(publish, consume);
  if (area == 42) return 0;
  std::printf("corrupt: the area is %d\n", area);
  return 1;
}
