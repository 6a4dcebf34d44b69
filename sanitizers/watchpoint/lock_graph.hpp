// Which thread holds which locks and which one it waits for: a deadlock is a cycle in that graph.
#pragma once

#include <sched.h>
#include <sys/types.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

#include "sanitizers/annotations/annotated_mutex.hpp"
#include "stacks/threads.hpp"

namespace racelab::watch {

enum class lock_kind : std::uint8_t { mutex, writer, reader };  // how a lock is held, or wanted

struct lock_hold {
  std::uintptr_t lock = 0;
  lock_kind kind = lock_kind::mutex;
};

/// A lock that needs no initialisation, and that the kernel may wipe in the child of a fork.
class RACELAB_THREAD_SAFETY(capability("mutex")) spin_lock {
 public:
  void lock() RACELAB_THREAD_SAFETY(acquire_capability()) {
    // Acquire: pairs with the release in unlock(), which publishes what was done under the lock.
    while (taken_.exchange(true, std::memory_order_acquire)) sched_yield();
  }
  void unlock() RACELAB_THREAD_SAFETY(release_capability()) {
    taken_.store(false, std::memory_order_release);
  }

 private:
  std::atomic<bool> taken_{false};
};

/// A thread's part of the graph.
struct thread_locks {
  static constexpr std::size_t most_held = 32;  // of more it is not known that they are held

  stacks::thread_record* record = nullptr;  // null: nobody's
  std::uint32_t id = 0;                     // the record's when the part was taken
  std::array<lock_hold, most_held> held{};
  std::size_t held_count = 0;
  lock_hold waits_for;  // with no limit of time; no lock: for none

  [[nodiscard]] std::span<const lock_hold> holds() const noexcept { return {held.data(), held_count}; }
};

/// Thread safety: all members may be called by any thread at any time. A part is read and changed through these members
/// only, but for the parts of a cycle, whose threads do nothing any more.
///
/// Why a cycle is a deadlock: a hold is added after the lock was taken and removed before it is given back, a wait is
/// added before the thread begins to wait. While a thread waits it gives nothing back. So if each thread of a cycle waits
/// and is known to hold what its predecessor waits for, none of them can go on. `really_holds` asks the lock itself: it
/// may have been given back in a way that nobody told of.
class alignas(4096) lock_graph {  // whole pages, which the kernel may wipe in the child of a fork
 public:
  static constexpr std::size_t most_threads = 1024;  // the locks of further ones are not known
  using holds_function = bool (*)(const lock_hold&, const thread_locks&);

  /// The part of the thread with this record; null if there is no more room.
  thread_locks* part_of(stacks::thread_record& record) noexcept {
    const mutex_lock guard(lock_);
    for (thread_locks& each : parts_) {
      if (each.record != nullptr && each.record->tid.load(std::memory_order_relaxed) != 0 &&
          each.record->id.load(std::memory_order_relaxed) == each.id)
        continue;  // of a thread that lives
      each.held_count = 0;
      each.waits_for = {};
      each.id = record.id.load(std::memory_order_relaxed);
      each.record = &record;
      used_ = std::max(used_, static_cast<std::size_t>(&each - parts_.data()) + 1);
      return &each;
    }
    return nullptr;
  }

  /// How many locks `mine` holds now.
  std::size_t add(thread_locks& mine, lock_hold taken) noexcept {
    const mutex_lock guard(lock_);
    if (mine.held_count < thread_locks::most_held) mine.held[mine.held_count++] = taken;
    return mine.held_count;
  }

  /// What `mine` holds.
  std::size_t copy_holds(const thread_locks& mine,
                         std::array<lock_hold, thread_locks::most_held>& into) noexcept {
    const mutex_lock guard(lock_);
    into = mine.held;
    return mine.held_count;
  }

  /// The last hold of this lock by `mine`, or, of one that another thread gives back, by that thread. What was removed;
  /// no lock if nobody was known to hold it.
  lock_hold remove(thread_locks& mine, std::uintptr_t lock) noexcept {
    const mutex_lock guard(lock_);
    lock_hold removed = remove_from(mine, lock);
    for (std::size_t i = 0; i < used_ && removed.lock == 0; ++i) removed = remove_from(parts_[i], lock);
    return removed;
  }

  /// `mine` is about to wait. The threads of the cycle that this closes, each waiting for a lock of the next one, in
  /// `cycle`; the result is how many, 0 if there is none.
  std::size_t begin_wait(thread_locks& mine, lock_hold wanted, holds_function really_holds,
                         std::span<thread_locks*> cycle) noexcept {
    const mutex_lock guard(lock_);
    mine.waits_for = wanted;
    std::size_t found = 0;
    std::size_t known = 0;
    came_from_.fill(nullptr);
    queue_[known++] = &mine;
    for (std::size_t next = 0; next < known && found == 0; ++next) {
      thread_locks& waiting = *queue_[next];
      for (std::size_t i = 0; i < used_ && found == 0; ++i) {
        thread_locks& holder = parts_[i];
        if (!blocks(holder, waiting, really_holds)) continue;
        if (&holder == &mine) {
          found = path_locked(mine, waiting, cycle);
        } else if (came_from_[i] == nullptr && holder.waits_for.lock != 0) {
          came_from_[i] = &waiting;
          queue_[known++] = &holder;
        }
      }
    }
    return found;
  }

  void end_wait(thread_locks& mine) noexcept {
    const mutex_lock guard(lock_);
    mine.waits_for = {};
  }

  /// In the child of a fork, where there is one thread and nobody holds the graph's own lock.
  void clear() noexcept RACELAB_UNCHECKED_LOCKING {
    lock_.unlock();
    for (thread_locks& each : parts_) each = {};
    used_ = 0;
  }

 private:
  static lock_hold remove_from(thread_locks& from, std::uintptr_t lock) noexcept {
    for (std::size_t i = from.held_count; i-- > 0;) {
      if (from.held[i].lock != lock) continue;
      const lock_hold removed = from.held[i];
      for (std::size_t after = i + 1; after < from.held_count; ++after)
        from.held[after - 1] = from.held[after];
      --from.held_count;
      return removed;
    }
    return {};
  }

  // Whether `waiting` can't go on before `holder` gives back what it wants. (A reader that is kept waiting by other
  // readers waits for a writer that is not known.)
  static bool blocks(const thread_locks& holder, const thread_locks& waiting,
                     holds_function really_holds) noexcept {
    return std::ranges::any_of(holder.holds(), [&](const lock_hold& each) {
      return each.lock == waiting.waits_for.lock &&
             (each.kind != lock_kind::reader || waiting.waits_for.kind != lock_kind::reader) &&
             really_holds(each, holder);
    });
  }

  // From `mine` to `last`, along the search's way. 0 if that is longer than `cycle`.
  std::size_t path_locked(thread_locks& mine, thread_locks& last, std::span<thread_locks*> cycle) noexcept
      RACELAB_REQUIRES(lock_) {
    std::size_t length = 0;
    for (thread_locks* at = &last; length < cycle.size(); at = came_from_[index_of_locked(*at)]) {
      cycle[length++] = at;
      if (at != &mine) continue;
      std::ranges::reverse(cycle.first(length));
      return length;
    }
    return 0;
  }

  [[nodiscard]] std::size_t index_of_locked(const thread_locks& part) const noexcept RACELAB_REQUIRES(lock_) {
    return static_cast<std::size_t>(&part - parts_.data());
  }

  spin_lock lock_;
  std::array<thread_locks, most_threads> parts_ RACELAB_GUARDED_BY(lock_){};
  std::size_t used_ RACELAB_GUARDED_BY(lock_) = 0;  // parts that were ever taken
  // The search's: how it came to each part, and what it has still to look at.
  std::array<thread_locks*, most_threads> came_from_ RACELAB_GUARDED_BY(lock_){};
  std::array<thread_locks*, most_threads> queue_ RACELAB_GUARDED_BY(lock_){};
};

}  // namespace racelab::watch
