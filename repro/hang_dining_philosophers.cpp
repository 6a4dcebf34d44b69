// Three philosophers, three forks, and each takes the left one first.
// maps: none
// truth: deadlock, hang: all three hold their left fork and wait for the right one
// expect: tsan=report gcc_tsan=report watchpoint=none judge=confirmed
#include <array>
#include <cstddef>
#include <cstdio>
#include <mutex>
#include <thread>
#include <vector>

namespace {
constexpr std::size_t seats = 3;
std::array<std::mutex, seats> forks;
std::array<int, seats> meals{};

void dine(std::size_t seat) {
  const std::scoped_lock left(forks.at(seat));
  const std::scoped_lock right(forks.at((seat + 1) % seats));
  meals.at(seat) += 1;
}
}  // namespace

int main() {
  std::vector<std::thread> philosophers;
  for (std::size_t seat = 0; seat < seats; ++seat) philosophers.emplace_back(dine, seat);
  for (auto& each : philosophers) each.join();
  for (const int each : meals)
    if (each != 1) return 1;
}
