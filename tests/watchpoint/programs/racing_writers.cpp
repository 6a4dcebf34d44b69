// Two threads count one plain variable up until they have been caught.
#include <cstdint>
#include <thread>

#include "sanitizers/watchpoint/watchpoint.hpp"

namespace {

std::uint64_t shared_counter = 0;

[[gnu::noinline]] void count_up() {
  for (int i = 0; i < 20'000'000 && racelab::watch::totals().pairs == 0; ++i)
    shared_counter = shared_counter + 1;
}

}  // namespace

int main() {
  std::thread one(count_up);
  std::thread two(count_up);
  one.join();
  two.join();
  return 0;
}
