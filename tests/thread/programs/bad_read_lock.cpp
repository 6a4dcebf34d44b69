// A lock of one's own, told to ThreadSanitizer by annotations, is read-locked by the thread that writes under it.
#include <sanitizer/tsan_interface.h>

int guard;

void lock() {
  __tsan_mutex_pre_lock(&guard, 0);
  __tsan_mutex_post_lock(&guard, 0, 0);
}

void lock_to_read() {
  __tsan_mutex_pre_lock(&guard, __tsan_mutex_read_lock);
  __tsan_mutex_post_lock(&guard, __tsan_mutex_read_lock, 0);
}

int main() {
  __tsan_mutex_create(&guard, 0);
  lock();
  lock_to_read();
}
