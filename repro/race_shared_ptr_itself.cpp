// One thread replaces a shared_ptr while another copies that same one: the copy counts up in a block that is freed.
// race: replace() W vs current() R
// maps: none
// truth: race, crash: the count of a freed block is changed, and freed twice
// expect: tsan=report gcc_tsan=report watchpoint=caught judge=confirmed
// shown: yes
#include <cstdio>
#include <memory>

#include "repro/support/gate.hpp"

namespace {
std::shared_ptr<const int> latest = std::make_shared<int>(1);
bool other = false;

void replace() {
  for (int i = 0; i < 200; ++i) latest = std::make_shared<int>(1);
}

std::shared_ptr<const int> current() { return latest; }
}  // namespace

int main() {
  racelab::run_together(replace, [] {
    for (int i = 0; i < 200; ++i) other |= *current() != 1;
  });
  if (!other) return 0;
  std::puts("corrupt: every value is 1, and another was read");
  return 1;
}
