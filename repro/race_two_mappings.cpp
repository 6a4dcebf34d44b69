// One page is mapped twice, and two threads count in it, each by its own address.
// race: count() W vs count() W
// maps: none
// truth: race, corrupt: counts are lost
// cause: two-mappings
// expect: tsan=clean gcc_tsan=clean watchpoint=none judge=confirmed
// shown: yes
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>

#include "repro/support/gate.hpp"

namespace {
constexpr int rounds = 300;

long* map_counter(int file) {
  return static_cast<long*>(mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0));
}

[[gnu::noinline]] void count(long* counter) { *counter += 1; }

void count_on(long* counter) {
  for (int i = 0; i < rounds; ++i) count(counter);
}
}  // namespace

int main() {
  const int file = memfd_create("counter", 0);
  if (ftruncate(file, 4096) != 0) return 0;
  long* const one = map_counter(file);
  long* const same = map_counter(file);
  racelab::run_together([&] { count_on(one); }, [&] { count_on(same); });
  if (*one == 2L * rounds) return 0;
  std::printf("corrupt: counted to %d, found %ld\n", 2 * rounds, *one);
  return 1;
}
