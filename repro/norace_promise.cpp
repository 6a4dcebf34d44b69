// A worker fills a table and keeps a promise: main reads the table when the future is ready, before the worker ends.
// maps: none
// truth: no race: the future's get() comes after set_value()
// expect: tsan=clean gcc_tsan=clean watchpoint=none judge=no-report
#include <cstdio>
#include <future>
#include <map>
#include <thread>

namespace {
std::map<int, int> table;

void fill(std::promise<void> filled) {
  for (int i = 0; i < 50; ++i) table[i] = i;
  filled.set_value();
}
}  // namespace

int main() {
  std::promise<void> filled;
  std::future<void> is_filled = filled.get_future();
  std::thread worker(fill, std::move(filled));
  is_filled.get();
  int sum = 0;
  for (const auto& [key, value] : table) sum += value;
  worker.join();
  if (sum == 49 * 50 / 2) return 0;
  std::printf("corrupt: the sum is %d\n", sum);
  return 1;
}
