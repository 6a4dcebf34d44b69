// A thread does so much after its write that its history no longer reaches back to it.
#include <thread>

#include "tests/thread/programs/baton.hpp"

baton written;
int value = 0;
volatile int sink = 0;

[[gnu::noinline]] void step() { sink = sink + 1; }

int main() {
  std::thread worker([] {
    value = 1;
    for (int i = 0; i < 3'000'000; ++i) step();
    written.pass();
  });
  written.wait();
  const int seen = value;
  worker.join();
  return seen == 1 ? 0 : 1;
}
