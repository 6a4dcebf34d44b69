// Main sleeps until a thread is done, in place of waiting for it.
#include <unistd.h>

#include <thread>

#include "tests/thread/programs/baton.hpp"

baton computed;
int result = 0;

void compute() { result = 42; }

int main() {
  std::thread worker([] {
    compute();
    computed.pass();
  });
  computed.wait();
  usleep(100);
  const int seen = result;
  worker.join();
  return seen == 42 ? 0 : 1;
}
