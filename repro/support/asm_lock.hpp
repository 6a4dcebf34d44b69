// Asm lock: a spin lock in inline assembly, as lock-free libraries and old code have it. It is correct on x86-64, and
// nothing in it is instrumented: ThreadSanitizer does not see that it orders anything.
#pragma once

#include <thread>

namespace racelab {

class asm_lock {
 public:
  void lock() {
    while (exchange(1) != 0) std::this_thread::yield();
  }

  // A store is a release on x86-64.
  void unlock() { asm volatile("movl $0, %0" : "=m"(word_)::"memory"); }

 private:
  int exchange(int value) {
    // xchg locks the bus: a full barrier.
    asm volatile("xchgl %0, %1" : "+r"(value), "+m"(word_)::"memory");
    return value;
  }

  int word_ = 0;
};

}  // namespace racelab
