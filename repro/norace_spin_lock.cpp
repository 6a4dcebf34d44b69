// A spin lock of a std::atomic_flag.
// maps: none
// truth: no race: clear() releases what the next test_and_set() acquires
// expect: tsan=clean gcc_tsan=clean watchpoint=none judge=no-report
#include <atomic>
#include <cstdio>
#include <string>
#include <thread>

#include "repro/support/gate.hpp"

namespace {
std::atomic_flag taken;
std::string text;

void append(char letter) {
  for (int i = 0; i < 100; ++i) {
    while (taken.test_and_set(std::memory_order_acquire)) std::this_thread::yield();  // pairs with clear()
    text += letter;
    taken.clear(std::memory_order_release);  // publishes the text, to the next test_and_set()
  }
}
}  // namespace

int main() {
  racelab::run_together([] { append('a'); }, [] { append('b'); });
  if (text.size() == 200) return 0;
  std::printf("corrupt: %zu letters of 200\n", text.size());
  return 1;
}
