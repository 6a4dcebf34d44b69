// A callback is taken away between the test whether there is one and the call.
// race: unsubscribe() W vs notify() R
// maps: none
// truth: race, corrupt: an empty callback is called
// expect: tsan=report gcc_tsan=report watchpoint=sometimes judge=confirmed
// shown: yes
#include <cstdio>
#include <functional>

#include "repro/support/gate.hpp"

namespace {
int called = 0;
std::function<void()> callback = [] { ++called; };
bool empty_called = false;

void unsubscribe() { callback = nullptr; }

void notify() {
  try {
    for (int i = 0; i < 50; ++i)
      if (callback) callback();
  } catch (const std::bad_function_call&) {
    empty_called = true;
  }
}
}  // namespace

int main() {
  racelab::run_together(notify, unsubscribe);
  if (!empty_called) return 0;
  std::puts("corrupt: a callback was called after it was taken away");
  return 1;
}
