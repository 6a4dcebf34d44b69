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

[[gnu::noinline]] void store_record(const record& made) { std::memcpy(&slot, &made, sizeof made); }

[[gnu::noinline]] void load_record(record& copy) { std::memcpy(&copy, &slot, sizeof copy); }
}  // namespace

int main() {
  racelab::run_together(
      [] {
        record made;
        for (char i = 0; i < 100; ++i) {
          made.fill(i);
          store_record(made);
        }
      },
      [] {
        record copy;
        for (int i = 0; i < 100; ++i) {
          load_record(copy);
          mixed |= copy.front() != copy.back();
        }
      });
  if (!mixed) return 0;
  std::puts("corrupt: a record that nobody stored");
  return 1;
}
