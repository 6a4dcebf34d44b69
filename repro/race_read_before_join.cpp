// The result of a thread is read before it is joined.
// race: compute() W vs report() R
// maps: none
// truth: race, wrong output: nothing, or half of the result is reported
// expect: tsan=report gcc_tsan=report watchpoint=sometimes judge=confirmed
// shown: yes
#include <cstdio>
#include <thread>

namespace {
long result = 0;

void compute() {
  for (long i = 1; i <= 100; ++i) result += i;
}

void report() { std::printf("the sum is %ld\n", result); }
}  // namespace

int main() {
  std::thread worker(compute);
  report();
  worker.join();
}
