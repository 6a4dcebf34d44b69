// Two threads write one array: the first its lower half upwards, the second its upper half. They meet on one element.
#include <array>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <thread>

#include "sanitizers/watchpoint/watchpoint.hpp"

namespace {

constexpr std::size_t middle = 500;
std::array<std::uint64_t, 1001> cells{};
std::uint64_t after = 0;

[[gnu::noinline]] void write_low(std::size_t i) { cells[i] = i; }
[[gnu::noinline]] void write_high(std::size_t i) { cells[i] = i; }
[[gnu::noinline]] void write_after() { after = 1; }

}  // namespace

int main() {
  // EDGE=again: over and over until the two have been caught. EDGE=wait: the first begins when the second is stalled.
  const char* const how = std::getenv("EDGE");
  const std::string_view mode = how != nullptr ? how : "once";
  const int rounds = mode == "again" ? 100'000 : 1;
  std::thread low([rounds, mode] {
    while (mode == "wait" && racelab::watch::stalled_now() == 0) std::this_thread::yield();
    for (int round = 0; round < rounds && racelab::watch::totals().pairs == 0; ++round)
      for (std::size_t i = 0; i <= middle; ++i) write_low(i);
  });
  std::thread high([rounds] {
    for (int round = 0; round < rounds && racelab::watch::totals().pairs == 0; ++round)
      for (std::size_t i = middle; i < cells.size(); ++i) write_high(i);
    write_after();
  });
  low.join();
  high.join();
  return cells[middle] == middle && after == 1 ? 0 : 1;
}
