// One thread stores atomically what another reads plainly: an atomic access races with a plain one.
#include <thread>

#include "tests/thread/programs/baton.hpp"

baton stored;
int ready = 0;

void publish() { __atomic_store_n(&ready, 1, __ATOMIC_RELEASE); }

int poll() { return ready; }

int main() {
  std::thread publisher([] {
    publish();
    stored.pass();
  });
  stored.wait();
  const int seen = poll();
  publisher.join();
  return seen == 1 ? 0 : 1;
}
