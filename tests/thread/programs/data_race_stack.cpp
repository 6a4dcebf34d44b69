// A thread writes a variable on main's stack while main reads it.
#include <thread>

#include "tests/thread/programs/baton.hpp"

baton written;

void finish(bool& done) { done = true; }

int main() {
  bool done = false;
  std::thread worker([&done] {
    finish(done);
    written.pass();
  });
  written.wait();
  const bool seen = done;
  worker.join();
  return seen ? 0 : 1;
}
