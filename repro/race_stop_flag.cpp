// A worker is told to stop by a plain bool.
// race: stop() W vs work() R
// maps: none
// truth: race, no visible harm on x86-64: the call in the loop makes the compiler load the flag anew each time
// expect: tsan=report gcc_tsan=report watchpoint=sometimes judge=confirmed
// shown: yes
#include <thread>

namespace {
bool stopping = false;

void work() {
  while (!stopping) std::this_thread::yield();
}

void stop() { stopping = true; }
}  // namespace

int main() {
  std::thread worker(work);
  stop();
  worker.join();
}
