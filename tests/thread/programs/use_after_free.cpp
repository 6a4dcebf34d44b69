// A thread reads a block that main has freed.
#include <cstdlib>
#include <thread>

#include "tests/thread/programs/baton.hpp"

baton freed;
volatile int sink = 0;

int read_from(const int* block) { return block[2]; }

int main() {
  int* const block = static_cast<int*>(std::calloc(10, sizeof(int)));
  std::thread reader([block] {
    freed.wait();
    sink = read_from(block);
  });
  std::free(block);
  freed.pass();
  reader.join();
}
