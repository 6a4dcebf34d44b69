// A lock of one's own, told to ThreadSanitizer by annotations, lets in a second thread.
#include <sanitizer/tsan_interface.h>

#include <thread>

int guard;

void lock() {
  __tsan_mutex_pre_lock(&guard, 0);
  __tsan_mutex_post_lock(&guard, 0, 0);
}

int main() {
  __tsan_mutex_create(&guard, 0);
  lock();
  std::thread second(lock);
  second.join();
}
