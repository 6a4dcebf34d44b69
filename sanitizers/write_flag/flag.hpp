// The flag of checked<Map>: one word that says whether a thread is changing the map, which one, and where it
// came in.
//
// From the high end: caught, destroyed; 14 bits of the number of the thread that wrote last; 47 bits of program
// counter, where it entered; busy, which is set during a write and from destruction on. All zero before the first
// write. The counter's own lowest bit is lost to "busy", which is why here() points into an instruction.
//
// A read costs a load and a branch. A write costs two loads, two branches and a store on entry, and a load, a branch
// and a store on exit. It is seen by whoever enters before it ends; and because the word names its writer, also by
// the writer itself if another one entered at the very same time: on exit it finds the word changed.
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

/// The word while the calling thread writes, but for where it entered; 0 until its first write.
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
    if (is_busy(seen)) [[unlikely]]
      found(what, map, seen);
  }

  /// The map's destructor begins: whoever is inside, or comes now, sees it.
  void destroyed(const void* map) noexcept {
    check(misuse::destroyed_in_use, map);
    word_.store(own() | destroyed_bit, std::memory_order_relaxed);
  }

 private:
  static constexpr std::uint64_t busy_bit = 1;
  static constexpr std::uint64_t destroyed_bit = std::uint64_t{1} << 62U;
  static constexpr std::uint64_t caught_bit = std::uint64_t{1} << 63U;
  static constexpr unsigned thread_shift = 48;
  static constexpr std::uint64_t thread_mask = 0x3fff;
  static constexpr std::uint64_t entry_mask = (std::uint64_t{1} << thread_shift) - 1;

  [[gnu::always_inline]] static bool is_busy(std::uint64_t word) noexcept { return (word & busy_bit) != 0; }

  // The word for a write that this thread begins here.
  [[gnu::always_inline]] static std::uint64_t own() noexcept {
    std::uint64_t mine = detail::this_thread_writing;
    if (mine == 0) [[unlikely]]
      mine = first_write();
    return mine | here();
  }

  RACELAB_WRITE_FLAG_ASIDE static std::uint64_t first_write() noexcept {
    const std::uint64_t id = stacks::self().id.load(std::memory_order_relaxed) & thread_mask;
    return detail::this_thread_writing = id << thread_shift | busy_bit;
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
    own_ = own();  // NOLINT(cppcoreguidelines-prefer-member-initializer): the check comes first, as in Go
    flag_.word_.store(own_, std::memory_order_relaxed);
  }
  [[gnu::always_inline]] ~writing() {
    const std::uint64_t seen = flag_.word_.load(std::memory_order_relaxed);
    if (seen != own_) [[unlikely]]
      flag_.found(what_, map_, seen, own_);
    flag_.word_.store(own_ & ~busy_bit, std::memory_order_relaxed);
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
      : flag_(on), seen_(seen & ~caught_bit), suspect_{number_of(seen), seen & entry_mask} {}

  // Compare-and-swap, though relaxed: a plain store could bring back a write that has just ended.
  void mark() noexcept override { exchange(seen_, seen_ | caught_bit); }
  void unmark() noexcept override { exchange(seen_ | caught_bit, seen_); }

  [[nodiscard]] bool holds(const stacks::thread_record& thread) const noexcept override {
    const std::uint64_t now = flag_.word_.load(std::memory_order_relaxed);
    return is_busy(now) && (now & ~caught_bit) == seen_ && in_word(thread) == thread_in(seen_);
  }
  [[nodiscard]] detail::last_writer suspect() const noexcept override { return suspect_; }

 private:
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
    if (is_busy(from)) flag_.word_.compare_exchange_strong(from, to, std::memory_order_relaxed);
  }

  flag& flag_;
  std::uint64_t seen_;  // without a mark
  detail::last_writer suspect_;
};

void flag::found(misuse what, const void* map, std::uint64_t seen, std::uint64_t own) noexcept {
  view before(*this, seen);
  const bool caught = own != 0 && seen == (own | caught_bit);
  if ((seen & destroyed_bit) != 0) what = misuse::destroyed_in_use;
  detail::handle(what, map, before, caught);
}

}  // namespace racelab::write_flag
