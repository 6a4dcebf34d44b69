// A lock of one's own, told to ThreadSanitizer by annotations, is locked to write and unlocked as if to read.
#include <sanitizer/tsan_interface.h>

int guard;

void lock() {
  __tsan_mutex_pre_lock(&guard, 0);
  __tsan_mutex_post_lock(&guard, 0, 0);
}

void unlock_from_reading() {
  __tsan_mutex_pre_unlock(&guard, __tsan_mutex_read_lock);
  __tsan_mutex_post_unlock(&guard, __tsan_mutex_read_lock);
}

int main() {
  __tsan_mutex_create(&guard, 0);
  lock();
  unlock_from_reading();
}
