// An object that std::call_once makes and all threads use.
// maps: none
// truth: no race: whoever returns from call_once comes after the one call
// expect: tsan=clean gcc_tsan=clean watchpoint=none judge=no-report
#include <atomic>
#include <cstdio>
#include <memory>
#include <mutex>

#include "repro/support/gate.hpp"

namespace {
std::once_flag made;
std::unique_ptr<int> only;
std::atomic<int> sum{0};

void use() {
  std::call_once(made, [] { only = std::make_unique<int>(7); });
  sum.fetch_add(*only);
}
}  // namespace

int main() {
  racelab::run_together(use, use, use);
  if (sum.load() == 21) return 0;
  std::printf("corrupt: the sum is %d\n", sum.load());
  return 1;
}
