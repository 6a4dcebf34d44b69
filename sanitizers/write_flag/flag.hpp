// The flag of checked<Map>: two words that say whether a thread is changing the map, which one, and where it
// came in.
//
// `state_` holds, from the high end:
//   32 bits  the number of the thread that wrote last, 0 before the first write
//   30 bits  how many writes there were, modulo 2^30
//    2 bits  idle 00, writing 01, writing and caught 11, destroyed 10
// A write is one load, one branch and two stores on entry, and one load, one branch and one store on exit. A
// read is a load and a branch on entry and on exit. Because the state counts and names its writers, a read
// sees any write by another thread that began or ended meanwhile, and a writer sees on exit whether the state
// is still its own.
//
// Memory orders: all relaxed, and no read-modify-write where nothing was found. The flag is to see races, so
// it may not prevent them: an acquire or a release here would order the two threads for ThreadSanitizer and
// hide the very race that it is to report. Nothing is read on the strength of the flag, so nothing needs to
// be published by it.
#pragma once

#include <atomic>
#include <cstdint>

#include "sanitizers/write_flag/report.hpp"

#if defined(__clang__)
#define RACELAB_WRITE_FLAG_ASIDE RACELAB_WRITE_FLAG_COLD __attribute__((preserve_most))
#else
#define RACELAB_WRITE_FLAG_ASIDE RACELAB_WRITE_FLAG_COLD
#endif

namespace racelab::write_flag {

class flag {
 public:
  class writing;
  class reading;

  flag() = default;
  flag(const flag&) = delete;
  flag& operator=(const flag&) = delete;
  ~flag() = default;

  /// One check without a duration: `what` if a thread is writing now.
  [[gnu::always_inline]] void check(misuse what, const void* map) noexcept {
    const std::uint64_t seen = state_.load(std::memory_order_relaxed);
    if ((seen & busy_bits) != 0) [[unlikely]]
      found(what, map, seen);
  }

  /// The map's destructor begins: whoever is inside, or comes now, sees it.
  void destroyed(const void* map) noexcept {
    const std::uint64_t seen = state_.load(std::memory_order_relaxed);
    if ((seen & busy_bits) != 0) [[unlikely]]
      found(misuse::destroyed_in_use, map, seen);
    entry_.store(here(), std::memory_order_relaxed);
    state_.store(own(seen & ~busy_bits) ^ (writing_bit | destroyed_bit), std::memory_order_relaxed);
  }

 private:
  static constexpr std::uint64_t writing_bit = 1;
  static constexpr std::uint64_t destroyed_bit = 2;  // without writing_bit
  static constexpr std::uint64_t busy_bits = 3;

  // The state while this thread makes the write that follows on the idle state `seen`.
  [[gnu::always_inline]] static std::uint64_t own(std::uint64_t seen) noexcept {
    const stacks::thread_record* me = stacks::current;
    if (me == nullptr) [[unlikely]]
      me = &first_use();
    const std::uint64_t id = me->id.load(std::memory_order_relaxed);
    return id << 32U | static_cast<std::uint32_t>(seen + (busy_bits + 1) + writing_bit);
  }

  RACELAB_WRITE_FLAG_ASIDE static const stacks::thread_record& first_use() noexcept { return stacks::self(); }

  // `seen` is the state that gave the misuse away; `own` that of the write which ends here, 0 anywhere else.
  RACELAB_WRITE_FLAG_ASIDE inline void found(misuse what, const void* map, std::uint64_t seen,
                                             std::uint64_t own = 0) noexcept;

  // A read that was found out on entry is not counted a second time.
  RACELAB_WRITE_FLAG_ASIDE void found_after_read(misuse what, const void* map, std::uint64_t before,
                                                 std::uint64_t seen) noexcept {
    if ((before & busy_bits) == 0) found(what, map, seen);
  }

  class view;

  std::atomic<std::uint64_t> state_{0};
  std::atomic<std::uintptr_t> entry_{0};  // of two writers that enter within nanoseconds it may be either's
};

/// A write, from construction to destruction, also when the operation throws. `what` is what it counts as.
class flag::writing {
 public:
  [[gnu::always_inline]] writing(flag& on, const void* map, misuse what = misuse::writes) noexcept
      : flag_(on), map_(map), what_(what) {
    std::uint64_t seen = flag_.state_.load(std::memory_order_relaxed);
    if ((seen & busy_bits) != 0) [[unlikely]] {
      flag_.found(what_, map_, seen);
      seen &= ~busy_bits;
    }
    own_ = own(seen);
    flag_.state_.store(own_, std::memory_order_relaxed);
    flag_.entry_.store(here(), std::memory_order_relaxed);
  }
  [[gnu::always_inline]] ~writing() {
    const std::uint64_t seen = flag_.state_.load(std::memory_order_relaxed);
    if (seen != own_) [[unlikely]]
      flag_.found(what_, map_, seen, own_);
    flag_.state_.store(own_ ^ writing_bit, std::memory_order_relaxed);
  }
  writing(const writing&) = delete;
  writing& operator=(const writing&) = delete;

 private:
  flag& flag_;
  const void* map_;
  misuse what_;
  std::uint64_t own_;
};

/// A read, from construction to destruction.
class flag::reading {
 public:
  [[gnu::always_inline]] reading(flag& on, const void* map, misuse what) noexcept
      : flag_(on), map_(map), what_(what), seen_(on.state_.load(std::memory_order_relaxed)) {
    if ((seen_ & busy_bits) != 0) [[unlikely]]
      flag_.found(what_, map_, seen_);
  }
  [[gnu::always_inline]] ~reading() {
    const std::uint64_t now = flag_.state_.load(std::memory_order_relaxed);
    if (now != seen_) [[unlikely]]
      flag_.found_after_read(what_, map_, seen_, now);
  }
  reading(const reading&) = delete;
  reading& operator=(const reading&) = delete;

 private:
  flag& flag_;
  const void* map_;
  misuse what_;
  std::uint64_t seen_;
};

// The flag as the state `seen` left it.
class flag::view final : public detail::flag_view {
 public:
  view(flag& on, std::uint64_t seen) noexcept
      : flag_(on),
        seen_(seen & ~marked_bit_of(seen)),
        suspect_{static_cast<std::uint32_t>(seen >> 32U), on.entry_.load(std::memory_order_relaxed)} {}

  // A compare-and-swap, though relaxed: a plain store could bring back a write that has just ended.
  void mark() noexcept override { exchange(seen_, seen_ | caught); }
  void unmark() noexcept override { exchange(seen_ | caught, seen_); }

  [[nodiscard]] bool holds(const stacks::thread_record& thread) const noexcept override {
    const std::uint64_t now = flag_.state_.load(std::memory_order_relaxed);
    return is_writing(now) && (now & ~caught) == seen_ &&
           thread.id.load(std::memory_order_relaxed) == suspect_.id;
  }
  [[nodiscard]] detail::last_writer suspect() const noexcept override { return suspect_; }

 private:
  static constexpr std::uint64_t caught = destroyed_bit;  // beside writing_bit

  static bool is_writing(std::uint64_t state) noexcept { return (state & writing_bit) != 0; }
  static std::uint64_t marked_bit_of(std::uint64_t state) noexcept { return is_writing(state) ? caught : 0; }
  void exchange(std::uint64_t from, std::uint64_t to) noexcept {
    if (is_writing(from)) flag_.state_.compare_exchange_strong(from, to, std::memory_order_relaxed);
  }

  flag& flag_;
  std::uint64_t seen_;  // without a mark
  detail::last_writer suspect_;
};

void flag::found(misuse what, const void* map, std::uint64_t seen, std::uint64_t own) noexcept {
  view before(*this, seen);
  const bool caught = own != 0 && seen == (own | busy_bits);
  if ((seen & busy_bits) == destroyed_bit) what = misuse::destroyed_in_use;
  detail::handle(what, map, before, caught);
}

}  // namespace racelab::write_flag
