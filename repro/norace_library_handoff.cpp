// Jobs go from thread to thread through a queue in a shared library that was built without ThreadSanitizer.
// maps: none
// uninstrumented: handoff
// truth: no race: the library publishes with release and takes with acquire
// cause: uninstrumented-library
// expect: tsan=report gcc_tsan=report watchpoint=none judge=likely-false
#include <cstdio>
#include <thread>

#include "repro/support/uninstrumented/handoff.hpp"

namespace {
struct job {
  long number = 0;
};
constexpr long jobs = 50;
long sum = 0;

void produce() {
  for (long i = 1; i <= jobs; ++i) racelab::handoff_put(new job{i});
}

void consume() {
  for (long i = 1; i <= jobs; ++i) {
    const auto* const taken = static_cast<job*>(racelab::handoff_take());
    sum += taken->number;
    delete taken;
  }
}
}  // namespace

int main() {
  std::thread consumer(consume);
  produce();
  consumer.join();
  if (sum == jobs * (jobs + 1) / 2) return 0;
  std::printf("corrupt: the jobs' numbers sum up to %ld\n", sum);
  return 1;
}
