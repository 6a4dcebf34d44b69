// A record is copied into a slot with memcpy() while another thread copies it out.
// race: store_record() W vs load_record() R
// maps: none
// truth: race, corrupt: half of one record and half of another
// expect: tsan=report gcc_tsan=report watchpoint=caught judge=confirmed
// shown: yes
#include <array>
#include <cstdio>
#include <cstring>

#include "repro/support/gate.hpp"

namespace {
using record = std::array<char, 256>;
record slot{};
bool mixed = false;

void store_record(char filled_with) {
  record made;
  made.fill(filled_with);
  std::memcpy(&slot, &made, sizeof made);
}

void load_record() {
  record copy;
  std::memcpy(&copy, &slot, sizeof copy);
  mixed |= copy.front() != copy.back();
}
}  // namespace

int main() {
  racelab::run_together(
      [] {
        for (char i = 0; i < 100; ++i) store_record(i);
      },
      [] {
        for (int i = 0; i < 100; ++i) load_record();
      });
  if (!mixed) return 0;
  std::puts("corrupt: a record that nobody stored");
  return 1;
}
