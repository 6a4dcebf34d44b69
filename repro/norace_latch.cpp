// Workers count a std::latch down, and main reads their results when it is open.
// maps: none
// truth: no race: waiting for the latch comes after every count
// expect: tsan=clean gcc_tsan=clean watchpoint=none judge=no-report
#include <array>
#include <cstddef>
#include <cstdio>
#include <latch>
#include <thread>
#include <vector>

namespace {
constexpr std::size_t workers = 3;
std::latch done(workers);
std::array<long, workers> results{};

void work(std::size_t own) {
  for (int i = 0; i < 100; ++i) results.at(own) += 1;
  done.count_down();
}
}  // namespace

int main() {
  std::vector<std::thread> running;
  for (std::size_t i = 0; i < workers; ++i) running.emplace_back(work, i);
  done.wait();
  long sum = 0;
  for (const long each : results) sum += each;
  for (auto& each : running) each.join();
  if (sum == 300) return 0;
  std::printf("corrupt: the sum is %ld\n", sum);
  return 1;
}
