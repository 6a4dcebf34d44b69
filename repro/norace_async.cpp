// The halves of a sum are computed by std::async and added when both futures are ready.
// maps: none
// truth: no race: get() comes after the end of what it waits for
// expect: tsan=clean gcc_tsan=clean watchpoint=none judge=no-report
#include <cstdio>
#include <future>
#include <span>
#include <vector>

namespace {
long sum_of(std::span<const long> values) {
  long sum = 0;
  for (const long each : values) sum += each;
  return sum;
}
}  // namespace

int main() {
  std::vector<long> values(400, 1);
  const std::span<const long> all(values);
  std::future<long> low = std::async(std::launch::async, sum_of, all.first(200));
  std::future<long> high = std::async(std::launch::async, sum_of, all.last(200));
  const long sum = low.get() + high.get();
  values.assign(400, 2);
  if (sum == 400) return 0;
  std::printf("corrupt: the sum is %ld\n", sum);
  return 1;
}
