// Hazard pointers: a reader says which object it is looking at, and nobody frees that one meanwhile.
//
// Source: M. Michael, Hazard Pointers: Safe Memory Reclamation for Lock-Free Objects, IEEE TPDS 15(6), 2004. The
// names are those of C++26's <hazard_pointer> (P2530), of which this is the part that the remedies need. Why hazard
// pointers and not reference counts, RCU or epochs: docs/reclamation.md.
//
// Thread safety
//   A hazard_pointer belongs to the thread that made it. A retire_list may be used by any thread at any time.
//
// Invariants
//   1. An object is retired once, after it has been unlinked: no load of `source` begun afterwards returns it.
//   2. `source` is changed by seq_cst operations only.
//   3. protect() returns p only if p was still in `source` after p had been published in a slot. By 1, 2 and the barrier of
//      either side (barrier_by), whoever looks through the slots once p is retired finds it there. He need not be who unlinked
//      p: what takes the list acquires from what put p there.
//   4. A slot is given to one hazard_pointer at a time, and lives until the process ends.
//
// Cost
//   protect(): a store, an exchange on x86-64, and two loads, none of which waits for another processor. retire(): a look
//   through all slots, once for all objects that wait. There are as many slots as were ever in use at one time, up to four
//   kept by each thread counted in. No more than one object for each of them waits; one that was protected when it was looked
//   at waits for the next retire() or reclaim().
//   Asymmetric: protect() costs a plain store, and reclaiming a system call that interrupts all other processors: microseconds,
//   tens of them in a virtual machine, and one at a time in the whole process.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <span>
#include <utility>

#include "fixes/support/asymmetric_order.hpp"

namespace racelab {

/// Who pays for the order between a reader's announcement and its second look: each reader, by a barrier of its own, or whoever
/// reclaims, by asking all processors for one (asymmetric_order.hpp). The pointers that protect an object and the list that
/// retires it are of one kind. The latter is for objects that are read a million times as often as they are retired.
enum class barrier_by { reader, reclaimer };

template <barrier_by Who> class basic_retire_list;

/// The base of what can be protected and retired.
class hazard_object {
 public:
  hazard_object() = default;
  hazard_object(const hazard_object&) = delete;
  hazard_object& operator=(const hazard_object&) = delete;

 protected:
  virtual ~hazard_object() = default;

  /// Called once nobody protects it any more.
  virtual void reclaim() noexcept { delete this; }

 private:
  template <barrier_by Who> friend class basic_retire_list;
  hazard_object* next_retired_ = nullptr;  // written by the retiring thread, published by the list's head
};

namespace detail {

/// One announcement, alone on its cache line. Slots form a list that only grows.
struct alignas(64) hazard_slot {
  std::atomic<const hazard_object*> protects{nullptr};
  std::atomic<bool> taken{true};
  hazard_slot* next = nullptr;  // constant once the slot is in the list
};

inline std::atomic<hazard_slot*>& hazard_slots() noexcept {
  static constinit std::atomic<hazard_slot*> head{nullptr};
  return head;
}

/// A slot that nobody uses, or a new one.
inline hazard_slot* take_hazard_slot() {
  auto& head = hazard_slots();
  // Acquire: pairs with the push below and publishes `next`.
  for (hazard_slot* each = head.load(std::memory_order_acquire); each != nullptr; each = each->next) {
    // Acquire: pairs with the release in give_back.
    if (!each->taken.load(std::memory_order_relaxed) &&
        !each->taken.exchange(true, std::memory_order_acquire))
      return each;
  }
  auto* fresh = new hazard_slot;
  fresh->next = head.load(std::memory_order_relaxed);
  // seq_cst, not release: where readers have barriers of their own, a retiring thread that does not see this slot must come before
  // whatever it will protect in the single total order.
  while (
      !head.compare_exchange_weak(fresh->next, fresh, std::memory_order_seq_cst, std::memory_order_relaxed)) {
  }
  return fresh;
}

/// For another thread to take.
inline void give_back(hazard_slot& slot) noexcept {
  slot.taken.store(false, std::memory_order_release);  // pairs with the acquire in take_hazard_slot()
}

/// The slots that a thread keeps between uses, so that taking one costs no atomic operation. Trivial, and so never
/// destroyed: a map may still be read by the destructor of a static or of another thread_local.
struct hazard_slot_cache {
  std::array<hazard_slot*, 4> kept{};
  std::size_t count = 0;
  bool closed = false;  // the thread is ending
};
inline constinit thread_local hazard_slot_cache own_hazard_slots;

/// Gives a thread's slots back at its end.
struct hazard_slots_returned {
  hazard_slots_returned() = default;
  hazard_slots_returned(const hazard_slots_returned&) = delete;
  hazard_slots_returned& operator=(const hazard_slots_returned&) = delete;
  ~hazard_slots_returned() {
    own_hazard_slots.closed = true;
    while (own_hazard_slots.count != 0) give_back(*own_hazard_slots.kept[--own_hazard_slots.count]);
  }
};

inline hazard_slot& take_own_hazard_slot() {
  if (own_hazard_slots.count != 0) return *own_hazard_slots.kept[--own_hazard_slots.count];
  const thread_local hazard_slots_returned at_end;
  return *take_hazard_slot();
}

inline void keep_own_hazard_slot(hazard_slot& slot) noexcept {
  if (own_hazard_slots.closed || own_hazard_slots.count == own_hazard_slots.kept.size())
    give_back(slot);
  else
    own_hazard_slots.kept[own_hazard_slots.count++] = &slot;
}

}  // namespace detail

/// Protects one object at a time. Made, used and destroyed on one thread.
template <barrier_by Who> class basic_hazard_pointer {
 public:
  basic_hazard_pointer() : slot_(detail::take_own_hazard_slot()) {}
  basic_hazard_pointer(const basic_hazard_pointer&) = delete;
  basic_hazard_pointer& operator=(const basic_hazard_pointer&) = delete;
  ~basic_hazard_pointer() {
    reset_protection();
    detail::keep_own_hazard_slot(slot_);
  }

  /// What `source` points to, protected until the next call; null if it is null.
  template <class Object> Object* protect(const std::atomic<Object*>& source) noexcept {
    // Relaxed: a guess, checked below.
    for (Object* seen = source.load(std::memory_order_relaxed);;) {
      // Invariant 3. A release at least: what was read from the object protected before happens before its reclamation.
      if constexpr (Who == barrier_by::reclaimer)
        detail::store_before_load<const hazard_object*>(slot_.protects, seen);
      else
        slot_.protects.store(seen, std::memory_order_seq_cst);
      Object* const now = source.load(std::memory_order_seq_cst);
      if (now == seen) return now;
      seen = now;
    }
  }

  void reset_protection() noexcept {
    // Release: what was read from the object happens before its reclamation; pairs with the load in is_protected().
    slot_.protects.store(nullptr, std::memory_order_release);
  }

 private:
  detail::hazard_slot& slot_;
};

/// Objects that are unlinked but may still be looked at. Each map has its own, so that nothing outlives its map.
template <barrier_by Who> class basic_retire_list {
 public:
  basic_retire_list() = default;
  basic_retire_list(const basic_retire_list&) = delete;
  basic_retire_list& operator=(const basic_retire_list&) = delete;

  /// The map's end: nobody may protect anything of it any more.
  ~basic_retire_list() {
    for (hazard_object* each = take_all(); each != nullptr;)
      std::exchange(each, each->next_retired_)->reclaim();
  }

  /// Takes an unlinked object, and reclaims what nobody protects of all that waits once `batch` objects do.
  void retire(hazard_object& object, std::size_t batch = 1) noexcept {
    if (defer(object) >= batch) reclaim();
  }

  /// Takes an unlinked object and leaves reclaim() to the caller, who may still protect the object himself, or hold a
  /// lock that a destructor had better not run under. Returns how many objects wait.
  std::size_t defer(hazard_object& object) noexcept {
    // Relaxed: a count. It comes before the push, so that nobody can take off what was not added yet.
    const std::size_t waiting = count_.fetch_add(1, std::memory_order_relaxed) + 1;
    push(object, object);
    return waiting;
  }

  /// Reclaims all that nobody protects now. Returns how many were. Destructors may use the list.
  std::size_t reclaim() noexcept {
    std::size_t reclaimed = 0;
    hazard_object* kept = nullptr;
    hazard_object* kept_last = nullptr;
    hazard_object* const all = take_all();
    if (all == nullptr) return 0;
    if constexpr (Who == barrier_by::reclaimer) detail::others_pass_a_barrier();
    const announcements seen;  // after all of them were retired
    for (hazard_object* each = all; each != nullptr;) {
      hazard_object* const object = std::exchange(each, each->next_retired_);
      if (seen.have(*object)) {
        object->next_retired_ = kept;
        kept = object;
        if (kept_last == nullptr) kept_last = object;
      } else {
        object->reclaim();
        ++reclaimed;
      }
    }
    if (kept != nullptr) push(*kept, *kept_last);
    count_.fetch_sub(reclaimed, std::memory_order_relaxed);
    return reclaimed;
  }

  /// How many objects wait.
  [[nodiscard]] std::size_t waiting() const noexcept { return count_.load(std::memory_order_relaxed); }

 private:
  /// What all slots protect, read once for all objects that were retired before.
  class announcements {
   public:
    announcements() noexcept
        : are_all_(for_each([this](const hazard_object* object) {
            if (count_ == few_.size()) return false;
            few_[count_++] = object;
            return true;
          })) {}

    [[nodiscard]] bool have(const hazard_object& object) const noexcept {
      if (are_all_) {
        const auto read = std::span(few_).first(count_);
        return std::ranges::find(read, &object) != read.end();
      }
      return !for_each([&](const hazard_object* each) { return each != &object; });
    }

   private:
    /// False as soon as visit(object) was.
    template <class Visit> static bool for_each(Visit visit) noexcept {
      // seq_cst: invariant 3; also acquires from reset_protection().
      for (const auto* each = detail::hazard_slots().load(std::memory_order_seq_cst); each != nullptr;
           each = each->next) {
        const hazard_object* const object = each->protects.load(std::memory_order_seq_cst);
        if (object != nullptr && !visit(object)) return false;
      }
      return true;
    }

    std::array<const hazard_object*, 64> few_{};  // the first count_ of them
    std::size_t count_ = 0;
    bool are_all_;
  };

  /// Puts a chain in front. Nothing is ever popped alone, so that no address can come back unnoticed (ABA).
  void push(hazard_object& first, hazard_object& last) noexcept {
    last.next_retired_ = head_.load(std::memory_order_relaxed);
    // Release: publishes the chain to take_all().
    while (!head_.compare_exchange_weak(last.next_retired_, &first, std::memory_order_release,
                                        std::memory_order_relaxed)) {
    }
  }

  hazard_object* take_all() noexcept {
    return head_.exchange(nullptr, std::memory_order_acquire);  // pairs with the release in push()
  }

  std::atomic<hazard_object*> head_{nullptr};
  std::atomic<std::size_t> count_{0};
};

using hazard_pointer = basic_hazard_pointer<barrier_by::reader>;
using retire_list = basic_retire_list<barrier_by::reader>;
using asymmetric_hazard_pointer = basic_hazard_pointer<barrier_by::reclaimer>;
using asymmetric_retire_list = basic_retire_list<barrier_by::reclaimer>;

}  // namespace racelab
