// Two threads add to a global variable.
#include <thread>

#include "tests/thread/programs/baton.hpp"

baton added;
int visits = 0;

void count_visit() { ++visits; }

int main() {
  std::thread first([] {
    count_visit();
    added.pass();
  });
  std::thread second([] {
    added.wait();
    count_visit();
  });
  first.join();
  second.join();
}
