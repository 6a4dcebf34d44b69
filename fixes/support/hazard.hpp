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
//   3. protect() returns p only if p was still in `source` after p had been published in a slot. By 1 and 2, whoever
//      retires p then looks through the slots later than that in the single total order of seq_cst operations, and
//      finds it.
//   4. A slot is given to one hazard_pointer at a time, and lives until the process ends.
//
// Cost
//   protect(): a seq_cst store (an exchange on x86-64) and two loads. retire(): looks through all slots, of which
//   there are as many as threads have ever protected at one time.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <utility>
#include <vector>

namespace racelab {

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
  friend class retire_list;
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
  // seq_cst, not release: a retiring thread that does not see this slot must come before whatever it will protect in
  // the single total order.
  while (
      !head.compare_exchange_weak(fresh->next, fresh, std::memory_order_seq_cst, std::memory_order_relaxed)) {
  }
  return fresh;
}

/// The slots that a thread keeps between uses, so that taking one costs no atomic operation.
class hazard_slot_cache {
 public:
  hazard_slot_cache() = default;
  hazard_slot_cache(const hazard_slot_cache&) = delete;
  hazard_slot_cache& operator=(const hazard_slot_cache&) = delete;
  ~hazard_slot_cache() {
    while (count_ != 0) give_back(*kept_[--count_]);
  }

  hazard_slot* take() { return count_ != 0 ? kept_[--count_] : take_hazard_slot(); }

  void keep(hazard_slot& slot) noexcept {
    if (count_ == kept_.size())
      give_back(slot);
    else
      kept_[count_++] = &slot;
  }

 private:
  static void give_back(hazard_slot& slot) noexcept {
    slot.taken.store(false, std::memory_order_release);  // pairs with the acquire in take_hazard_slot()
  }

  std::array<hazard_slot*, 4> kept_{};
  std::size_t count_ = 0;
};

inline hazard_slot_cache& own_hazard_slots() {
  thread_local hazard_slot_cache cache;
  return cache;
}

}  // namespace detail

/// Protects one object at a time. Made, used and destroyed on one thread.
class hazard_pointer {
 public:
  hazard_pointer() : slot_(detail::own_hazard_slots().take()) {}
  hazard_pointer(const hazard_pointer&) = delete;
  hazard_pointer& operator=(const hazard_pointer&) = delete;
  ~hazard_pointer() {
    reset_protection();
    detail::own_hazard_slots().keep(*slot_);
  }

  /// What `source` points to, protected until the next call; null if it is null.
  template <class Object> Object* protect(const std::atomic<Object*>& source) noexcept {
    // Relaxed: a guess, checked below.
    for (Object* seen = source.load(std::memory_order_relaxed);;) {
      slot_->protects.store(seen,
                            std::memory_order_seq_cst);  // invariant 3: before the load, in the total order
      Object* const now = source.load(std::memory_order_seq_cst);
      if (now == seen) return now;
      seen = now;
    }
  }

  void reset_protection() noexcept {
    // Release: what was read from the object happens before its reclamation; pairs with the load in retire_list.
    slot_->protects.store(nullptr, std::memory_order_release);
  }

 private:
  detail::hazard_slot* slot_;
};

/// Objects that are unlinked but may still be looked at. Each map has its own, so that nothing outlives its map.
class retire_list {
 public:
  retire_list() = default;
  retire_list(const retire_list&) = delete;
  retire_list& operator=(const retire_list&) = delete;

  /// The map's end: nobody may protect anything of it any more.
  ~retire_list() {
    for (hazard_object* each = take_all(); each != nullptr;)
      std::exchange(each, each->next_retired_)->reclaim();
  }

  /// Takes an unlinked object, and reclaims what nobody protects of all that waits once `batch` objects do.
  void retire(hazard_object& object, std::size_t batch = 1) noexcept {
    const std::size_t waiting = count_.fetch_add(1, std::memory_order_relaxed) + 1;
    push(object, object);
    if (waiting >= batch) reclaim();
  }

  /// Reclaims all that nobody protects now. Returns how many were.
  std::size_t reclaim() noexcept {
    std::size_t reclaimed = 0;
    hazard_object* kept = nullptr;
    hazard_object* kept_last = nullptr;
    for (hazard_object* each = take_all(); each != nullptr;) {
      hazard_object* const object = std::exchange(each, each->next_retired_);
      if (is_protected(*object)) {
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
  static bool is_protected(const hazard_object& object) noexcept {
    // seq_cst: invariant 3; also acquires from reset_protection().
    for (const auto* each = detail::hazard_slots().load(std::memory_order_seq_cst); each != nullptr;
         each = each->next)
      if (each->protects.load(std::memory_order_seq_cst) == &object) return true;
    return false;
  }

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

}  // namespace racelab
