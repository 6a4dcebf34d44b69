// The table of soft watchpoints: which bytes each stalled thread is about to touch.
#pragma once

#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <ctime>

#include "sanitizers/watchpoint/watchpoint.hpp"
#include "stacks/standing.hpp"
#include "stacks/threads.hpp"

namespace racelab::watch {

/// One stalled thread. A searcher compares the relaxed copies of thread, address, size and write; only who
/// wins `state` reads the rest.
///
///   empty -> filling -> armed -> filling -> empty             nobody came
///                         \-> reading -> hit -> empty         another thread came and has written its record
///                                \-> left -> empty            … or takes so long that the stalled one goes on
///
/// The thread that came moves it to `reading`, `hit` and from `left` to `empty`; the stalled one does the rest.
struct alignas(64) watchpoint {
  enum state_value : std::uint32_t { empty, filling, left, armed, reading, hit };

  std::atomic<std::uint32_t> state{empty};
  std::atomic<std::uint32_t> wake{0};  // the futex that the stalled thread sleeps on; 1: get up
  std::atomic<std::uint32_t> due{0};   // the number of looks at which it is woken
  std::atomic<std::uint32_t> thread{0};
  std::atomic<std::uintptr_t> address{0};
  std::atomic<std::size_t> size{0};
  std::atomic<bool> write{false};
  std::atomic<bool> by_rule{false};  // a rule's stall, which nobody cuts short

  // Written by the stalled thread while `filling`, read by the one that moved armed to reading.
  access what;
  const stacks::thread_record* owner = nullptr;
  std::uint32_t visit = 0;
  stall how{.looks = 0, .rule = 0};  // all zero, as the rest: the table is memory that the kernel may wipe
  std::uint64_t value_before = 0;
  stacks::standing standing;  // its stack, for who wants to know
};

class alignas(4096) watchpoint_table {  // whole pages, which the kernel may wipe in the child of a fork
 public:
  static constexpr std::size_t capacity = 64;

  /// How many threads are stalled.
  [[nodiscard]] std::uint32_t stalled() const noexcept { return stalled_.load(std::memory_order_relaxed); }

  /// A free place, in state `filling`; null if there is none.
  watchpoint* claim() noexcept {
    for (std::uint32_t i = 0; i < capacity; ++i) {
      std::uint32_t expected = watchpoint::empty;
      // Acquire: pairs with the release in give_back(), after which nobody uses the plain members any more.
      if (!places_[i].state.compare_exchange_strong(expected, watchpoint::filling, std::memory_order_acquire,
                                                    std::memory_order_relaxed))
        continue;
      std::uint32_t high = high_.load(std::memory_order_relaxed);
      while (high < i + 1 && !high_.compare_exchange_weak(high, i + 1, std::memory_order_relaxed)) {
      }
      return &places_[i];
    }
    return nullptr;
  }

  /// Publishes a filled place. Release: pairs with the acquire in take(), which publishes the plain members
  /// to the thread that has caught this one. Of two threads that arm at once, the one whose addition to the count
  /// comes second sees the other's place as armed (acquire, pairs with the release of the first one's addition), so
  /// that they don't wait for each other in vain if they call take() now.
  void arm(watchpoint& place) noexcept {
    place.thread.store(place.owner->id.load(std::memory_order_relaxed), std::memory_order_relaxed);
    place.address.store(place.what.address, std::memory_order_relaxed);
    place.size.store(place.what.size, std::memory_order_relaxed);
    place.write.store(place.what.write, std::memory_order_relaxed);
    place.state.store(watchpoint::armed, std::memory_order_release);
    stalled_.fetch_add(1, std::memory_order_acq_rel);
  }

  /// Ends the stall. False: nobody came, and the caller goes on owning the place until give_back(). True:
  /// another thread came to these bytes, and the place is given back. Then its record is written by now,
  /// unless that takes longer than about a tenth of a second (it may be waiting for a lock that this thread holds).
  bool disarm(watchpoint& place) noexcept {
    stalled_.fetch_sub(1, std::memory_order_relaxed);
    const timespec short_time{.tv_sec = 0, .tv_nsec = 20'000};
    for (int rounds = 0;; ++rounds) {
      // Relaxed on success: nobody has read the place. Acquire on failure: whoever did has finished.
      std::uint32_t seen = watchpoint::armed;
      if (place.state.compare_exchange_strong(seen, watchpoint::filling, std::memory_order_relaxed,
                                              std::memory_order_acquire))
        return false;
      if (seen == watchpoint::hit) {
        give_back(place);
        return true;
      }
      if (rounds >= 1500 &&
          place.state.compare_exchange_strong(seen, watchpoint::left, std::memory_order_relaxed))
        return true;
      syscall(SYS_nanosleep, &short_time, nullptr);  // nanosleep() would be a cancellation point
    }
  }

  /// Release: pairs with the acquire in claim().
  static void give_back(watchpoint& place) noexcept {
    place.state.store(watchpoint::empty, std::memory_order_release);
  }

  /// The first armed place that `mine`, by thread number `me`, races with; it is then in state `reading` and
  /// the caller must pass it to done(). Null if none.
  watchpoint* take(const access& mine, std::uint32_t me) noexcept {
    const std::uint32_t high = high_.load(std::memory_order_relaxed);
    for (std::uint32_t i = 0; i < high; ++i) {
      watchpoint& place = places_[i];
      if (place.state.load(std::memory_order_relaxed) != watchpoint::armed) continue;
      const access theirs{.address = place.address.load(std::memory_order_relaxed),
                          .size = place.size.load(std::memory_order_relaxed),
                          .write = place.write.load(std::memory_order_relaxed)};
      if (place.thread.load(std::memory_order_relaxed) == me || !conflict(mine, theirs)) continue;
      std::uint32_t expected = watchpoint::armed;
      // Acquire: see arm().
      if (!place.state.compare_exchange_strong(expected, watchpoint::reading, std::memory_order_acquire,
                                               std::memory_order_relaxed))
        continue;
      // Meanwhile the place may have been emptied and armed anew by another thread for other bytes.
      if (conflict(mine, place.what) && place.owner->id.load(std::memory_order_relaxed) != me) return &place;
      end_reading(place, watchpoint::armed);
    }
    return nullptr;
  }

  /// The other side of take(): the caller has read the place and written its record.
  static void done(watchpoint& place) noexcept { end_reading(place, watchpoint::hit); }

  /// Between take() and done(): the stalled thread has not waited for that, and is not where it stood.
  [[nodiscard]] static bool has_left(const watchpoint& place) noexcept {
    return place.state.load(std::memory_order_relaxed) == watchpoint::left;
  }

  /// Calls visit(place) for each place that is armed or was hit.
  template <class Visit> void for_each_stalled(Visit visit) noexcept {
    const std::uint32_t high = high_.load(std::memory_order_relaxed);
    for (std::uint32_t i = 0; i < high; ++i)
      if (places_[i].state.load(std::memory_order_relaxed) >= watchpoint::armed) visit(places_[i]);
  }

  /// In the child of a fork: the stalled threads are not there.
  void clear() noexcept {
    for (auto& place : places_) place.state.store(watchpoint::empty, std::memory_order_relaxed);
    stalled_.store(0, std::memory_order_relaxed);
  }

 private:
  static void end_reading(watchpoint& place, watchpoint::state_value next) noexcept {
    std::uint32_t expected = watchpoint::reading;
    // Release: pairs with the acquires in disarm(), take() and, if the stalled thread has left, claim().
    if (!place.state.compare_exchange_strong(expected, next, std::memory_order_release,
                                             std::memory_order_relaxed))
      give_back(place);
  }

  std::array<watchpoint, capacity> places_{};
  std::atomic<std::uint32_t> high_{0};
  std::atomic<std::uint32_t> stalled_{0};
};

}  // namespace racelab::watch
