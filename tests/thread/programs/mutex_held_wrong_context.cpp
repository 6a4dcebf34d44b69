// A thread says that it holds no mutex, and holds one.
#include <sanitizer/tsan_interface.h>

#include <mutex>

std::mutex guard;

void expect_no_lock() { __tsan_check_no_mutexes_held(); }

int main() {
  const std::scoped_lock lock(guard);
  expect_no_lock();
}
