#include <mutex>

#include <counting/counting.h>

namespace {
std::mutex guard;
volatile long counter = 0;
}  // namespace

void count_guarded(void) {
  start_together();
  for (int i = 0; i < 100000; ++i) {
    const std::lock_guard<std::mutex> lock(guard);
    counter = counter + 1;
  }
}
