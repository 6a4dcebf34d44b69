// The program reads its settings while the worker that needs them has started: each side runs once.
// race: load_settings() W vs work() R
// maps: none
// truth: race, corrupt: the worker takes the default for what was set
// expect: tsan=report gcc_tsan=report watchpoint=sometimes judge=confirmed
// shown: yes
#include <cstdio>
#include <thread>

namespace {
struct {
  int retries = 1;
  int limit = 10;
} settings;
int used = 0;

void load_settings() {
  settings.limit = 20;
  settings.retries = 5;
}

void work() { used = settings.retries * settings.limit; }
}  // namespace

int main() {
  std::thread worker(work);
  load_settings();
  worker.join();
  if (used == 100) return 0;
  std::printf("corrupt: the worker used %d instead of 100\n", used);
  return 1;
}
