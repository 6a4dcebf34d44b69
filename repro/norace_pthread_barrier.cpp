// The same by a pthread barrier and pthreads.
// maps: none
// truth: no race: whoever leaves the barrier comes after all who have entered it
// expect: tsan=clean gcc_tsan=clean watchpoint=none judge=no-report
#include <pthread.h>

#include <array>
#include <cstddef>
#include <cstdio>
#include <utility>

namespace {
constexpr std::size_t threads = 3;
pthread_barrier_t meeting;
std::array<int, threads> cells{};
std::array<int, threads> sums{};

void* step(void* argument) {
  const auto own = reinterpret_cast<std::size_t>(argument);
  cells.at(own) = 1;
  pthread_barrier_wait(&meeting);
  for (const int each : cells) sums.at(own) += each;
  return nullptr;
}
}  // namespace

int main() {
  pthread_barrier_init(&meeting, nullptr, threads);
  std::array<pthread_t, threads> running{};
  for (std::size_t i = 0; i < threads; ++i)
    pthread_create(&running.at(i), nullptr, step, reinterpret_cast<void*>(i));
  for (const pthread_t each : running) pthread_join(each, nullptr);
  pthread_barrier_destroy(&meeting);
  for (const int each : sums)
    if (std::cmp_not_equal(each, threads)) {
      std::printf("corrupt: a sum is %d\n", each);
      return 1;
    }
}
