// Two threads count under a spin lock in inline assembly that tells ThreadSanitizer of the order it makes.
// maps: none
// truth: no race: xchg is a full barrier, and the lock lets one thread in
// expect: tsan=clean gcc_tsan=clean watchpoint=none judge=no-report
#include <cstdio>
#include <mutex>

#include "repro/support/asm_lock.hpp"
#include "repro/support/gate.hpp"

// ThreadSanitizer's own (sanitizer/tsan_interface.h); not there without it.
extern "C" [[gnu::weak]] void __tsan_acquire(void* address);
extern "C" [[gnu::weak]] void __tsan_release(void* address);

namespace {
class annotated_lock {
 public:
  void lock() {
    lock_.lock();
    if (__tsan_acquire != nullptr) __tsan_acquire(&lock_);
  }

  void unlock() {
    if (__tsan_release != nullptr) __tsan_release(&lock_);
    lock_.unlock();
  }

 private:
  racelab::asm_lock lock_;
};

annotated_lock lock;
int counter = 0;

void count() {
  for (int i = 0; i < 300; ++i) {
    const std::scoped_lock hold(lock);
    ++counter;
  }
}
}  // namespace

int main() {
  racelab::run_together(count, count);
  if (counter == 600) return 0;
  std::printf("corrupt: counted to 600, found %d\n", counter);
  return 1;
}
