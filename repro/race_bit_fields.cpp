// Two threads set different flags that share a byte: each writes back the other's old bit.
// race: open() W vs colour() W
// maps: none
// truth: race, corrupt: a flag falls back
// expect: tsan=report gcc_tsan=report watchpoint=sometimes judge=confirmed
// shown: yes
#include <cstdio>

#include "repro/support/gate.hpp"

namespace {
struct window {
  unsigned opened : 1;
  unsigned coloured : 1;
  unsigned reserved : 30;
};
bool fell_back = false;

void open(window& w) {
  for (int i = 0; i < 200; ++i) {
    w.opened = 1;
    fell_back |= w.opened == 0;
    w.opened = 0;
  }
  w.opened = 1;
}

void colour(window& w) {
  for (int i = 0; i < 200; ++i) w.coloured = static_cast<unsigned>(i) & 1U;
  w.coloured = 1;
}
}  // namespace

int main() {
  window shared{};
  for (int round = 0; round < 10; ++round) {
    racelab::run_together([&] { open(shared); }, [&] { colour(shared); });
    fell_back |= shared.opened == 0 || shared.coloured == 0;
  }
  if (!fell_back) return 0;
  std::puts("corrupt: a flag that was set is not");
  return 1;
}
