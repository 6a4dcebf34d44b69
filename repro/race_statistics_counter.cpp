// Two threads count served requests in a plain integer, for a statistic that nobody checks.
// race: serve() W vs serve() W
// maps: none
// truth: race, no visible harm on x86-64: a count is lost now and then, and the program does nothing with it but print
// expect: tsan=report gcc_tsan=report watchpoint=caught judge=confirmed
// shown: yes
#include <cstdio>

#include "repro/support/gate.hpp"

namespace {
long served = 0;

[[gnu::noinline]] void serve() { ++served; }

void serve_many() {
  for (int i = 0; i < 1000; ++i) serve();
}
}  // namespace

int main() {
  racelab::run_together(serve_many, serve_many);
  std::printf("about %s requests were served\n", served > 0 ? "some" : "no");
}
