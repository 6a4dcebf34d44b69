// A sequence lock with a plain payload: what a reader may find torn it throws away, and yet it has read it.
// race: publish() W vs snapshot() R
// maps: none
// truth: race, no visible harm on x86-64: a torn read is noticed by the sequence number and done again
// cause: masked-order
// expect: tsan=sometimes gcc_tsan=sometimes watchpoint=caught judge=confirmed
// shown: yes
#include <atomic>
#include <cstdio>
#include <thread>
#include <utility>

#include "repro/support/gate.hpp"

namespace {
std::atomic<unsigned> sequence{0};
volatile long low = 0;
volatile long high = 0;
bool torn = false;

void publish(long value) {
  sequence.fetch_add(1);
  low = value;
  high = -value;
  sequence.fetch_add(1);
}

std::pair<long, long> snapshot() {
  for (;;) {
    const unsigned before = sequence.load();
    const std::pair<long, long> seen{low, high};
    if (before % 2 == 0 && sequence.load() == before) return seen;
    std::this_thread::yield();
  }
}
}  // namespace

int main() {
  racelab::run_together(
      [] {
        for (int i = 0; i < 200; ++i) {
          const auto [a, b] = snapshot();
          torn |= a != -b;
        }
      },
      [] {
        for (long i = 1; i <= 200; ++i) publish(i);
      });
  if (!torn) return 0;
  std::puts("corrupt: a torn snapshot got through");
  return 1;
}
