// A thread writes into main's thread-local variable, whose address it was given.
#include <thread>

#include "tests/thread/programs/baton.hpp"

baton written;
thread_local int cache = 0;

void fill(int& into) { into = 1; }

int main() {
  int& mine = cache;
  std::thread worker([&mine] {
    fill(mine);
    written.pass();
  });
  written.wait();
  const int seen = mine;
  worker.join();
  return seen == 1 ? 0 : 1;
}
