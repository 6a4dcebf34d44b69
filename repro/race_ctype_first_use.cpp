// Two threads use a character table of the standard library for the first time: it fills its cache without a lock.
// race: convert() R vs convert() W
// maps: none
// truth: race, no visible harm on x86-64: both write the same bytes (std::regex does this when it is first used)
// expect: tsan=report gcc_tsan=report watchpoint=caught judge=confirmed
// shown: yes
#include <cstdio>
#include <locale>

#include "repro/support/gate.hpp"

namespace {
int convert() {
  const auto& table = std::use_facet<std::ctype<char>>(std::locale::classic());
  int sum = 0;
  for (char letter = 'a'; letter <= 'z'; ++letter) sum += table.narrow(letter, '?');
  return sum;
}
}  // namespace

int main() {
  int first = 0;
  int second = 0;
  racelab::run_together([&] { first = convert(); }, [&] { second = convert(); });
  if (first == second) return 0;
  std::puts("corrupt: two threads convert the same letters differently");
  return 1;
}
