// A thread interrupts itself by a signal, whose handler changes what the thread reads afterwards.
// maps: none
// truth: no race: the handler runs on the thread itself
// expect: tsan=clean gcc_tsan=clean watchpoint=none judge=no-report
#include <atomic>
#include <csignal>
#include <cstdio>

#include "repro/support/gate.hpp"

namespace {
thread_local volatile std::sig_atomic_t handled = 0;
std::atomic<int> wrong{0};

void handler(int /*signal*/) { handled = handled + 1; }

void interrupt_self() {
  for (int i = 1; i <= 50; ++i) {
    std::raise(SIGUSR1);
    if (handled != i) wrong.fetch_add(1);
  }
}
}  // namespace

int main() {
  std::signal(SIGUSR1, handler);
  racelab::run_together(interrupt_self, interrupt_self);
  if (wrong.load() == 0) return 0;
  std::puts("corrupt: a signal was not handled in time");
  return 1;
}
