// Takes a second to start, as a server that reads its data would.
#include <chrono>
#include <thread>

#include "tests/verdict/programs/counter.hpp"

int main() {
  std::this_thread::sleep_for(std::chrono::seconds(1));
  long counter = 0;
  racelab::judged::race_on(counter);
  return 0;
}
