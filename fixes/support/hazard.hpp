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
//   4. A slot is given to one hazard_pointer at a time, and lives until the process ends. Its owner is a thread, which gives it to
//      its hazard_pointers one after the other, or nobody: then a hazard_pointer takes it by compare-and-swap. Either way it is
//      free as soon as `protects` is null.
//
// Cost
//   protect(): a store, an exchange on x86-64, and two loads, none of which waits for another processor. retire(): a look
//   through all slots, once for all objects that wait. There are as many slots as were ever in use at one time, each thread that
//   had a hazard_pointer counted in with as many as it used at a time, up to four. No more than one object for each of them waits;
//   one that was protected when it was looked at waits for the next retire() or reclaim().
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

// A call that the caller need not save its registers for, so that a branch that is hardly ever taken costs no more than the branch.
#if defined(__has_cpp_attribute) && __has_cpp_attribute(clang::preserve_most)
#define RACELAB_PRESERVE_MOST [[clang::preserve_most]]
#else
#define RACELAB_PRESERVE_MOST
#endif

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
  // Null: no hazard_pointer has the slot. The slot's own address: one has it and protects nothing. Otherwise the object, as a
  // hazard_object*.
  std::atomic<const void*> protects{nullptr};
  std::atomic<bool> taken{false};  // by a thread, for all its hazard_pointers to come
  bool for_all = false;  // no thread may take it: each hazard_pointer does, by compare-and-swap of `protects`
  hazard_slot* next = nullptr;  // as `for_all`, constant once the slot is in the list
};

/// Never free: stands for the slot that a thread does not have.
inline constinit hazard_slot no_hazard_slot{{&no_hazard_slot}};

inline std::atomic<hazard_slot*>& hazard_slots() noexcept {
  static constinit std::atomic<hazard_slot*> head{nullptr};
  return head;
}

/// The first slot of which take(slot) is true, or a new one that it was true of.
template <class Take> hazard_slot& take_hazard_slot(bool for_all, Take take) {
  auto& head = hazard_slots();
  // Acquire: pairs with the push below and publishes `next`.
  for (hazard_slot* each = head.load(std::memory_order_acquire); each != nullptr; each = each->next)
    if (each->for_all == for_all && take(*each)) return *each;
  auto* fresh = new hazard_slot;
  fresh->for_all = for_all;
  take(*fresh);
  fresh->next = head.load(std::memory_order_relaxed);
  // seq_cst, not release: where readers have barriers of their own, a retiring thread that does not see this slot must come before
  // whatever it will protect in the single total order.
  while (
      !head.compare_exchange_weak(fresh->next, fresh, std::memory_order_seq_cst, std::memory_order_relaxed)) {
  }
  return *fresh;
}

/// For a thread, which gives it back by `taken`.
inline hazard_slot& take_slot_for_thread() {
  return take_hazard_slot(false, [](hazard_slot& slot) {
    // A thread's last hazard_pointer may outlive what gave the slot back. Acquire: pairs with its release, so that what it read happens
    // before what this thread announces.
    return slot.protects.load(std::memory_order_acquire) == nullptr &&
           !slot.taken.load(std::memory_order_relaxed) &&
           !slot.taken.exchange(
               true, std::memory_order_acquire);  // pairs with the release in hazard_slots_returned
  });
}

/// For one hazard_pointer, which gives it back by `protects`, as it does any slot.
inline hazard_slot& take_slot_for_pointer() {
  return take_hazard_slot(true, [](hazard_slot& slot) {
    const void* free = nullptr;
    return slot.protects.load(std::memory_order_relaxed) == nullptr &&
           slot.protects.compare_exchange_strong(free, &slot, std::memory_order_acquire,
                                                 std::memory_order_relaxed);
  });
}

/// The slots that a thread has, so that a hazard_pointer costs no atomic operation. Trivial, and so never destroyed: a map
/// may still be read by the destructor of a static or of another thread_local.
struct hazard_slots_of_thread {
  hazard_slot* first =
      &no_hazard_slot;                  // slots[0] once there is one and store_before_load() is a plain store
  std::array<hazard_slot*, 4> slots{};  // null from the first null on
  bool closed = false;                  // the thread is ending
};
inline constinit thread_local hazard_slots_of_thread own_hazard_slots;

/// Gives a thread's slots back at its end.
struct hazard_slots_returned {
  hazard_slots_returned() = default;
  hazard_slots_returned(const hazard_slots_returned&) = delete;
  hazard_slots_returned& operator=(const hazard_slots_returned&) = delete;
  ~hazard_slots_returned() {
    own_hazard_slots.closed = true;
    own_hazard_slots.first = &no_hazard_slot;
    for (hazard_slot*& each : own_hazard_slots.slots) {
      hazard_slot* const slot = std::exchange(each, nullptr);
      if (slot == nullptr) break;
      // Pairs with the acquire in take_slot_for_thread(). A hazard_pointer that is destroyed later still frees `protects`.
      slot->taken.store(false, std::memory_order_release);
    }
  }
};

/// One of the thread's that is free, or another one. What is free says the slot itself, and not a list that slots are taken off and
/// put back to: of the next lookup nothing but a branch then depends on what this one stored.
inline hazard_slot& take_own_hazard_slot() {
  hazard_slots_of_thread& own = own_hazard_slots;
  if (own.closed) return take_slot_for_pointer();
  for (hazard_slot*& each : own.slots) {
    if (each == nullptr) {
      const thread_local hazard_slots_returned at_end;
      each = &take_slot_for_thread();
      if (stores_may_be_cheap) own.first = own.slots.front();
    }
    if (each->protects.load(std::memory_order_relaxed) == nullptr) return *each;
  }
  return take_slot_for_pointer();
}

}  // namespace detail

/// Protects one object at a time. Made, used and destroyed on one thread.
template <barrier_by Who> class basic_hazard_pointer {
 public:
  basic_hazard_pointer() : slot_(detail::take_own_hazard_slot()) { reset_protection(); }

  /// Protects what `source`, which is never null, points to; that is `found`. Cheaper than a hazard_pointer and its protect(): two
  /// branches and, with the end of it, two stores, and no call.
  template <class Object>
  basic_hazard_pointer(const std::atomic<Object*>& source, Object*& found) : slot_(taken_for(source, found)) {
    if (found == nullptr) __builtin_unreachable();  // says to the compiler, too, that `source` is never null
  }

  basic_hazard_pointer(const basic_hazard_pointer&) = delete;
  basic_hazard_pointer& operator=(const basic_hazard_pointer&) = delete;
  ~basic_hazard_pointer() {
    // Release: as in reset_protection().
    slot_.protects.store(nullptr, std::memory_order_release);
  }

  /// What `source` points to, protected until the next call; null if it is null.
  template <class Object> Object* protect(const std::atomic<Object*>& source) noexcept {
    return protect_in(slot_, source);
  }

  void reset_protection() noexcept {
    // Release: what was read from the object happens before its reclamation; pairs with the load in announcements.
    slot_.protects.store(&slot_, std::memory_order_release);
  }

 private:
  template <class Object>
  static Object* protect_in(detail::hazard_slot& slot, const std::atomic<Object*>& source) noexcept {
    // Relaxed: a guess, checked below.
    for (Object* seen = source.load(std::memory_order_relaxed);;) {
      const hazard_object* const object = seen;
      const void* const announced = object == nullptr ? static_cast<const void*>(&slot) : object;
      // Invariant 3. A release at least: what was read from the object protected before happens before its reclamation.
      if constexpr (Who == barrier_by::reclaimer)
        detail::store_before_load(slot.protects, announced);
      else
        slot.protects.store(announced, std::memory_order_seq_cst);
      Object* const now = source.load(std::memory_order_seq_cst);
      if (now == seen) return now;
      seen = now;
    }
  }

  template <class Object> struct protection {
    detail::hazard_slot* slot;
    Object* object;
  };

  template <class Object>
  static detail::hazard_slot& taken_for(const std::atomic<Object*>& source, Object*& found) {
    detail::hazard_slot& own = *detail::own_hazard_slots.first;
    if (own.protects.load(std::memory_order_relaxed) == nullptr) [[likely]] {
      // As protect_in(), once.
      Object* const seen = source.load(std::memory_order_relaxed);
      const hazard_object* const object = seen;
      if constexpr (Who == barrier_by::reclaimer)
        detail::cheaply_store_before_load<const void*>(own.protects, object);
      else
        own.protects.store(object, std::memory_order_seq_cst);
      if (source.load(std::memory_order_seq_cst) == seen) [[likely]] {
        found = seen;
        return own;
      }
      // Release: nothing was read from this object, but may have been from the one before it.
      own.protects.store(nullptr, std::memory_order_release);
    }
    const protection<Object> taken = taken_slowly(source);
    found = taken.object;
    return *taken.slot;
  }

  template <class Object>
  RACELAB_PRESERVE_MOST [[gnu::noinline, gnu::cold]] static protection<Object> taken_slowly(
      const std::atomic<Object*>& source) {
    detail::hazard_slot& slot = detail::take_own_hazard_slot();
    return {&slot, protect_in(slot, source)};
  }

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
        : are_all_(for_each([this](const void* object) {
            if (count_ == few_.size()) return false;
            few_[count_++] = object;
            return true;
          })) {}

    [[nodiscard]] bool have(const hazard_object& object) const noexcept {
      if (are_all_) {
        const auto read = std::span(few_).first(count_);
        return std::ranges::find(read, static_cast<const void*>(&object)) != read.end();
      }
      return !for_each([&](const void* each) { return each != &object; });
    }

   private:
    /// False as soon as visit(object) was.
    template <class Visit> static bool for_each(Visit visit) noexcept {
      // seq_cst: invariant 3; also acquires from reset_protection().
      for (const auto* each = detail::hazard_slots().load(std::memory_order_seq_cst); each != nullptr;
           each = each->next) {
        const void* const object = each->protects.load(std::memory_order_seq_cst);
        if (object != nullptr && object != each && !visit(object)) return false;
      }
      return true;
    }

    std::array<const void*, 64> few_{};  // the first count_ of them
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
