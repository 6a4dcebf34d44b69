// The flag of checked<Map>: one word that says whether a thread is changing the map, which one, and where it
// came in.
//
// From the high end: 48 bits of program counter, where the last write entered; 14 bits of its thread's
// number; then idle 00, writing 01, writing and caught 11, or destroyed 10. All zero before the first write.
//
// A read costs a load and a branch. A write costs two loads, two branches and a store on entry, and a load, a
// branch and a store on exit. It is seen by whoever enters before it ends; and because the word names its
// writer, also by the writer itself if another one entered at the very same time: on exit it finds the word
// changed.
//
// Memory orders: all relaxed, and no read-modify-write where nothing was found. The flag is to see races, so
// it may not prevent them: an acquire or a release here would order the two threads for ThreadSanitizer and
// hide the very race that it is to report. Nothing is read on the strength of the flag, so nothing needs to
// be published by it.
#pragma once

#include <atomic>
#include <cstdint>

#include "sanitizers/write_flag/report.hpp"

// Calls that are almost never made. With clang they keep all registers, so that the code around them need not
// save any: on a lookup of a few nanoseconds that is the larger part of the check's cost.
#if defined(__clang__)
#define RACELAB_WRITE_FLAG_ASIDE RACELAB_WRITE_FLAG_COLD __attribute__((preserve_most))
#else
#define RACELAB_WRITE_FLAG_ASIDE RACELAB_WRITE_FLAG_COLD
#endif

namespace racelab::write_flag {

namespace detail {

/// The number of the calling thread in its place, and writing_bit; 0 until the thread's first write.
inline constinit thread_local std::uint64_t this_thread_writing __attribute__((tls_model("initial-exec"))) =
    0;

}  // namespace detail

class flag {
 public:
  class writing;

  flag() = default;
  flag(const flag&) = delete;
  flag& operator=(const flag&) = delete;
  ~flag() = default;

  /// A read of `map`, whose flag this is, begins: it is `what` if a thread is writing now.
  [[gnu::always_inline]] void check(misuse what, const void* map) noexcept {
    const std::uint64_t seen = word_.load(std::memory_order_relaxed);
    if ((seen & busy_bits) != 0) [[unlikely]]
      found(what, map, seen);
  }

  /// The map's destructor begins: whoever is inside, or comes now, sees it.
  void destroyed(const void* map) noexcept {
    check(misuse::destroyed_in_use, map);
    word_.store(own() ^ busy_bits, std::memory_order_relaxed);
  }

 private:
  static constexpr std::uint64_t writing_bit = 1;
  static constexpr std::uint64_t caught_or_destroyed_bit = 2;  // caught beside writing_bit, destroyed without
  static constexpr std::uint64_t busy_bits = 3;
  static constexpr unsigned thread_shift = 2;
  static constexpr std::uint64_t thread_mask = 0x3fff;
  static constexpr unsigned entry_shift = 16;

  // The word for a write that this thread begins here.
  [[gnu::always_inline]] static std::uint64_t own() noexcept {
    std::uint64_t mine = detail::this_thread_writing;
    if (mine == 0) [[unlikely]]
      mine = first_write();
    return mine | static_cast<std::uint64_t>(here()) << entry_shift;
  }

  RACELAB_WRITE_FLAG_ASIDE static std::uint64_t first_write() noexcept {
    const std::uint64_t id = stacks::self().id.load(std::memory_order_relaxed) & thread_mask;
    return detail::this_thread_writing = id << thread_shift | writing_bit;
  }

  // `seen` is the word that gave the misuse away; `own` that of the write which ends here, 0 anywhere else.
  RACELAB_WRITE_FLAG_ASIDE inline void found(misuse what, const void* map, std::uint64_t seen,
                                             std::uint64_t own = 0) noexcept;

  class view;

  std::atomic<std::uint64_t> word_{0};
};

/// A write, from construction to destruction, also when the operation throws. `what` is what it counts as.
class flag::writing {
 public:
  [[gnu::always_inline]] writing(flag& on, const void* map, misuse what = misuse::writes) noexcept
      : flag_(on), map_(map), what_(what) {
    flag_.check(what_, map_);
    own_ = own();
    flag_.word_.store(own_, std::memory_order_relaxed);
  }
  [[gnu::always_inline]] ~writing() {
    const std::uint64_t seen = flag_.word_.load(std::memory_order_relaxed);
    if (seen != own_) [[unlikely]]
      flag_.found(what_, map_, seen, own_);
    flag_.word_.store(own_ ^ writing_bit, std::memory_order_relaxed);
  }
  writing(const writing&) = delete;
  writing& operator=(const writing&) = delete;

 private:
  flag& flag_;
  const void* map_;
  misuse what_;
  std::uint64_t own_;
};

/// The flag as the thread that found a misuse saw it.
class flag::view final : public detail::flag_view {
 public:
  view(flag& on, std::uint64_t seen) noexcept
      : flag_(on),
        seen_(is_writing(seen) ? seen & ~caught_or_destroyed_bit : seen),
        suspect_{number_of(seen), static_cast<std::uintptr_t>(seen >> entry_shift)} {}

  // Compare-and-swap, though relaxed: a plain store could bring back a write that has just ended.
  void mark() noexcept override { exchange(seen_, seen_ | caught_or_destroyed_bit); }
  void unmark() noexcept override { exchange(seen_ | caught_or_destroyed_bit, seen_); }

  [[nodiscard]] bool holds(const stacks::thread_record& thread) const noexcept override {
    const std::uint64_t now = flag_.word_.load(std::memory_order_relaxed);
    return is_writing(now) && (now & ~caught_or_destroyed_bit) == seen_ &&
           in_word(thread) == thread_in(seen_);
  }
  [[nodiscard]] detail::last_writer suspect() const noexcept override { return suspect_; }

 private:
  static bool is_writing(std::uint64_t word) noexcept { return (word & writing_bit) != 0; }
  static std::uint64_t thread_in(std::uint64_t word) noexcept { return word >> thread_shift & thread_mask; }
  static std::uint64_t in_word(const stacks::thread_record& thread) noexcept {
    return thread.id.load(std::memory_order_relaxed) & thread_mask;
  }

  // The whole number of the thread that `word` names with 14 bits of it, if it lives.
  RACELAB_WRITE_FLAG_COLD static std::uint32_t number_of(std::uint64_t word) noexcept {
    struct search {
      std::uint64_t wanted;
      std::uint32_t number;
    } one{thread_in(word), static_cast<std::uint32_t>(thread_in(word))};
    stacks::for_each_thread(
        [](stacks::thread_record& thread, void* argument) {
          search& in = *static_cast<search*>(argument);
          if (in_word(thread) == in.wanted) in.number = thread.id.load(std::memory_order_relaxed);
        },
        &one);
    return one.number;
  }

  void exchange(std::uint64_t from, std::uint64_t to) noexcept {
    if (is_writing(from)) flag_.word_.compare_exchange_strong(from, to, std::memory_order_relaxed);
  }

  flag& flag_;
  std::uint64_t seen_;  // without a mark
  detail::last_writer suspect_;
};

void flag::found(misuse what, const void* map, std::uint64_t seen, std::uint64_t own) noexcept {
  view before(*this, seen);
  const bool caught = own != 0 && seen == (own | caught_or_destroyed_bit);
  if ((seen & busy_bits) == caught_or_destroyed_bit) what = misuse::destroyed_in_use;
  detail::handle(what, map, before, caught);
}

}  // namespace racelab::write_flag
