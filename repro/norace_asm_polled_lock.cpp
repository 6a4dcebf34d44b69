// A test-and-test-and-set lock in inline assembly: who waits polls its word as volatile, until it seems to be free.
// maps: none
// truth: no race: xchg takes the lock, and the word that is polled is changed by single instructions of the processor
// cause: asm-lock
// expect: tsan=report gcc_tsan=report watchpoint=none judge=likely-false
#include "repro/support/gate.hpp"

namespace {
volatile int word = 0;
long counter = 0;

bool try_to_take() {
  int taken = 1;  // NOLINT(misc-const-correctness): the instruction changes it
  asm volatile("xchgl %0, %1" : "+r"(taken), "+m"(word) : : "memory");
  return taken == 0;
}

void take() {
  do {
    while (word != 0) asm volatile("pause");
  } while (!try_to_take());
}

void give_back() { asm volatile("movl $0, %0" : "=m"(word) : : "memory"); }

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
