// A status text is copied while another thread assigns a new one: the copy reads a buffer that is being replaced.
// race: set_status() W vs status() R
// maps: none
// truth: race, corrupt: the copy is a mixture, or reads freed memory
// expect: tsan=report gcc_tsan=report watchpoint=caught judge=confirmed
// shown: yes
#include <cstddef>
#include <cstdio>
#include <string>

#include "repro/support/gate.hpp"

namespace {
std::string text(20, 'a');

void set_status() {
  for (std::size_t i = 0; i < 100; ++i) text.assign(20 + (i & 63U), i % 2 == 0 ? 'a' : 'b');
}

std::string status() { return text; }
}  // namespace

int main() {
  bool mixed = false;
  racelab::run_together(set_status, [&] {
    for (int i = 0; i < 100; ++i) {
      const std::string copy = status();
      mixed |= copy.find_first_not_of(copy.substr(0, 1)) != std::string::npos;
    }
  });
  if (!mixed) return 0;
  std::puts("corrupt: a status that nobody set");
  return 1;
}
