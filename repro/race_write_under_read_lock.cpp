// Readers of a table count its hits while they hold the lock for reading only: they shut out writers, not each other.
// race: look_up() W vs look_up() W
// maps: none
// truth: race, corrupt: hits are lost
// expect: tsan=report gcc_tsan=report watchpoint=caught judge=confirmed
// shown: yes
#include <pthread.h>

#include <cstdio>

#include "repro/support/gate.hpp"

namespace {
constexpr int rounds = 300;
pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
struct {
  int value = 7;
  int hits = 0;
} entry;

int look_up() {
  pthread_rwlock_rdlock(&lock);
  ++entry.hits;
  const int found = entry.value;
  pthread_rwlock_unlock(&lock);
  return found;
}

void reader() {
  for (int i = 0; i < rounds; ++i) look_up();
}
}  // namespace

int main() {
  racelab::run_together(reader, reader);
  if (entry.hits == 2 * rounds) return 0;
  std::printf("corrupt: %d look-ups, %d hits\n", 2 * rounds, entry.hits);
  return 1;
}
