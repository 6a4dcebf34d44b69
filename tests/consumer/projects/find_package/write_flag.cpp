// Two threads write to one checked map until the detector ends the program.
#include <thread>
#include <unordered_map>

#include "sanitizers/write_flag/checked.hpp"

int main() {
  racelab::checked<std::unordered_map<int, int>> map;
  const auto write = [&map] {
    for (int i = 0; i < 10'000'000; ++i) map[i % 100] = i;
  };
  std::thread one(write);
  std::thread two(write);
  one.join();
  two.join();
}
