// Baton: the order in which threads come to the racing accesses, so that each program reports the same in each run.
#pragma once

#include <sched.h>

#include <atomic>

class baton {
 public:
  // relaxed: an order that ThreadSanitizer can't see is the point; anything stronger would hide the race.
  void pass() { passed_.store(true, std::memory_order_relaxed); }

  void wait() const {
    while (!passed_.load(std::memory_order_relaxed)) sched_yield();
  }

 private:
  std::atomic<bool> passed_{false};
};
