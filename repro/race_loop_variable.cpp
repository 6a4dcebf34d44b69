// Threads are given the address of the loop variable itself: one that starts late reads the next number.
// race: start_workers() W vs work() R
// maps: none
// truth: race, corrupt: a number is worked on twice and another never
// expect: tsan=report gcc_tsan=report watchpoint=caught judge=confirmed
// shown: yes
#include <pthread.h>

#include <array>
#include <cstddef>
#include <cstdio>

namespace {
constexpr int workers = 4;
std::array<int, workers + 1> done{};

void* work(void* argument) {
  const int number = *static_cast<const int*>(argument);
  __atomic_fetch_add(&done.at(static_cast<std::size_t>(number)), 1, __ATOMIC_RELAXED);
  return nullptr;
}

void start_workers() {
  std::array<pthread_t, workers> threads{};
  int number = 0;
  for (; number < workers; ++number)
    pthread_create(&threads.at(static_cast<std::size_t>(number)), nullptr, work, &number);
  for (const pthread_t each : threads) pthread_join(each, nullptr);
}
}  // namespace

int main() {
  start_workers();
  for (int i = 0; i < workers; ++i)
    if (done.at(static_cast<std::size_t>(i)) != 1) {
      std::printf("corrupt: number %d was worked on %d times\n", i, done.at(static_cast<std::size_t>(i)));
      return 1;
    }
}
