// Lock waits: how often, and for how long, a thread waits for a mutex or read-write lock inside of a map.
//
// The linker's --wrap sends each call of pthread_mutex_lock and its kin that is compiled into the program through
// lock_waits.cpp. A thread that is not inside of a map is let through at once. One that is tries first, and only if
// that fails is the clock read: as sharded_map's own timed_lock does. Locks in shared libraries, and those that spin in
// user space (oneTBB's, libcuckoo's), are not seen.
#pragma once

#include <atomic>
#include <cstdint>

namespace racelab::serve {

/// What one thread has done. Written by that thread alone, so that adding is a load and a store; relaxed, as whoever reads
/// wants a number and nothing else.
struct lock_use {
  std::atomic<std::uint64_t> taken{0};
  std::atomic<std::uint64_t> waits{0};
  std::atomic<std::uint64_t> waited_ns{0};
};

/// Adds to a counter that no other thread writes.
inline void add(std::atomic<std::uint64_t>& counter, std::uint64_t more = 1) noexcept {
  counter.store(counter.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
}

/// While it lives, what the calling thread locks is counted in `into`.
class inside_map {
 public:
  explicit inside_map(lock_use& into) noexcept;
  inside_map(const inside_map&) = delete;
  inside_map& operator=(const inside_map&) = delete;
  ~inside_map();
};

}  // namespace racelab::serve
