// A sleep is meant to let another thread finish first, as tests do that wait "long enough".
// race: publish() W vs publish() W
// maps: none
// truth: race, no visible harm on x86-64: a sleep orders nothing, and a busy machine is late for it
// expect: tsan=report gcc_tsan=report watchpoint=none judge=confirmed
// shown: yes
#include <chrono>
#include <cstdio>
#include <thread>

namespace {
int latest = 0;

[[gnu::noinline]] void publish(int value) { latest = value; }
}  // namespace

int main() {
  std::thread first(publish, 1);
  std::this_thread::sleep_for(std::chrono::milliseconds(400));  // the bug: long enough for the first one
  std::thread second(publish, 2);
  first.join();
  second.join();
  std::printf("the latest is %s\n", latest == 0 ? "unknown" : "known");
}
