// A ticket lock in inline assembly, whose word is looked at as volatile: it changes under who waits, and is meant to.
// maps: none
// truth: no race: the lock orders the increments, and its own words are changed by single instructions of the processor
// cause: asm-lock
// expect: tsan=report gcc_tsan=report watchpoint=none judge=likely-false
#include <thread>

#include "repro/support/gate.hpp"

namespace {
struct ticket_lock {
  volatile unsigned next = 0;
  volatile unsigned served = 0;
};

ticket_lock lock;
long counter = 0;

void take() {
  unsigned mine = 1;  // NOLINT(misc-const-correctness): the instruction changes it
  asm volatile("lock xaddl %0, %1" : "+r"(mine), "+m"(lock.next) : : "memory");
  while (lock.served != mine) std::this_thread::yield();
}

void give_back() { asm volatile("incl %0" : "+m"(lock.served) : : "memory"); }

void count() {
  for (int i = 0; i < 200; ++i) {
    take();
    ++counter;
    give_back();
  }
}
}  // namespace

int main() {
  racelab::run_together(count, count);
  return counter == 400 ? 0 : 1;
}
