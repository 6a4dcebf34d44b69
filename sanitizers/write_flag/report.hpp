// Report: what happens when a map's write flag has found two threads in it.
//
// The thread that found it (the detecting one) shows its own stack and that of the other thread, which it
// gets in whichever of these ways is first:
// - It marks the flag. A writer that is still inside meets the mark on its way out, and lends its stack
// there.
// - It asks every thread that is inside the map by a signal (stacks::capture_other).
// - Two threads may find each other at one time: the first claims the meeting below, the second lends its
// stack. If the other thread has left the map, the report says so and shows where it entered, and where it is
// now. All waits are bounded, so that a detector can't turn a race into a hang.
//
// Every atomic here is relaxed: a detector that synchronised the threads it watches would hide their race
// from ThreadSanitizer. Where one thread hands data to another the order comes from hidden_fence().
#pragma once

#include <time.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>

#include "sanitizers/write_flag/policy.hpp"
#include "stacks/capture.hpp"
#include "stacks/fatal.hpp"
#include "stacks/threads.hpp"

// Not instrumented: a race detector that watches the program has nothing to learn here, and a runtime that
// delays threads would only let the other thread get away.
#define RACELAB_WRITE_FLAG_COLD __attribute__((cold, noinline, no_sanitize("thread")))

namespace racelab::write_flag {

/// The message, without "fatal error: ". The first four are Go's.
[[nodiscard]] constexpr const char* message(misuse what) noexcept {
  switch (what) {
    case misuse::writes:
      return "concurrent map writes";
    case misuse::read_and_write:
      return "concurrent map read and map write";
    case misuse::iteration_and_write:
      return "concurrent map iteration and map write";
    case misuse::clone_and_write:
      return "concurrent map clone and map write";
    case misuse::len_and_write:
      return "concurrent map len and map write";
    case misuse::destroyed_in_use:
      return "map destroyed while in use";
    case misuse::moved_in_use:
      return "map moved while in use";
  }
  return "concurrent map misuse";
}

/// Where the other thread was.
enum class other_thread : std::uint8_t {
  inside,  // in the map: threads[1] is its stack there
  silent,  // in the map, but it did not answer in time: threads[1] is where it entered, if known
  left,    // threads[1] is where it entered the map, threads[2] (if it answered) its stack now
  ended,   // the thread is gone: threads[1] is where it entered the map
  itself,  // no second thread: the map was used from within its own operation, further down in threads[0]
  unknown  // the flag changed, and who did it can't be told any more
};

/// One misuse. Valid during the call of the handler only.
struct finding {
  misuse what;
  const void* map;  // its address
  other_thread other;
  std::span<const stacks::thread_trace> threads;  // the detecting thread first
};

/// What is done about a finding. Set by set_policy, else by the environment RACELAB_WRITE_FLAG=abort|report.
enum class policy : std::uint8_t {
  abort,   // the default, as in Go: `fatal error: …` and the threads on stderr, then _exit(2)
  report,  // count it, print at most one in an interval, and carry on
};

namespace detail {

inline constexpr std::size_t misuse_kinds = 7;

struct settings {
  std::atomic<int> chosen_policy{-1};  // -1: not yet looked up
  std::atomic<void (*)(const finding&)> handler{nullptr};
  std::atomic<std::int64_t> report_interval_ns{1'000'000'000};
  std::atomic<std::int64_t> next_report_ns{0};
  std::array<std::atomic<std::uint64_t>, misuse_kinds> found{};
  std::atomic<std::uint64_t> reported{0};
};
inline constinit settings state;

}  // namespace detail

/// Takes effect for findings from now on. May be called by any thread at any time, like the functions below.
inline void set_policy(policy chosen) noexcept {
  detail::state.chosen_policy.store(static_cast<int>(chosen), std::memory_order_relaxed);
}

/// `handler` takes the policy's place; null gives it back. It is called on the detecting thread, in the
/// middle of the map's operation: it may not throw or use that map. One finding at a time is put together;
/// those that are made meanwhile are counted, and lend their stack if they are about the same map.
inline void set_handler(void (*handler)(const finding&)) noexcept {
  detail::state.handler.store(handler, std::memory_order_relaxed);
}

/// Under policy::report: print at most one finding in `interval` (default: one second; zero: all).
inline void set_report_interval(std::chrono::nanoseconds interval) noexcept {
  detail::state.report_interval_ns.store(interval.count(), std::memory_order_relaxed);
  detail::state.next_report_ns.store(0, std::memory_order_relaxed);
}

/// How often `what` was found, printed or not.
[[nodiscard]] inline std::uint64_t times_found(misuse what) noexcept {
  return detail::state.found[static_cast<std::size_t>(what)].load(std::memory_order_relaxed);
}

/// How often anything was found.
[[nodiscard]] inline std::uint64_t times_found() noexcept {
  std::uint64_t sum = 0;
  for (const auto& one : detail::state.found) sum += one.load(std::memory_order_relaxed);
  return sum;
}

/// How many findings were printed or handed to the handler.
[[nodiscard]] inline std::uint64_t times_reported() noexcept {
  return detail::state.reported.load(std::memory_order_relaxed);
}

/// The program counter here, in the function that this is inlined into. The counter that is one higher or lower, so
/// that the lowest bit is another one, still belongs to the same instruction.
[[gnu::always_inline]] inline std::uintptr_t here() noexcept {
  std::uintptr_t pc = 0;
#if defined(__x86_64__)
  asm volatile("leaq -2(%%rip), %0" : "=r"(pc));
#elif defined(__aarch64__)
  asm volatile("adr %0, ." : "=r"(pc));
#else
#error "racelab::write_flag::here: not written for this processor yet"
#endif
  return pc;
}

namespace detail {

/// Orders what this thread stored before against what it stores or loads after, for other threads that do the
/// same. Inline assembly, because ThreadSanitizer does not see it: the hand-over of a stack between two
/// racing threads is then no happens-before edge that would hide their race.
[[gnu::always_inline]] inline void hidden_fence() noexcept {
#if defined(__x86_64__)
  asm volatile("mfence" ::: "memory");
#elif defined(__aarch64__)
  asm volatile("dmb ish" ::: "memory");
#else
#error "racelab::write_flag::hidden_fence: not written for this processor yet"
#endif
}

using clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

inline constexpr milliseconds abort_patience{200};  // how long a dying process looks for the other thread
inline constexpr milliseconds report_patience{50};  // … and one that carries on
inline constexpr milliseconds signal_patience{20};  // for one answer to one signal
inline constexpr std::chrono::seconds end_patience{
    10};  // how long a thread waits for another one to end the process

inline void nap() noexcept {
  const timespec tenth_of_a_millisecond{0, 100'000};
  nanosleep(&tenth_of_a_millisecond, nullptr);
}

/// Who wrote last, as far as the map's flag or its neighbourhood knows. id 0: not known.
struct last_writer {
  std::uint32_t id = 0;
  std::uintptr_t entry = 0;  // a program counter in the operation that it entered
};

/// How a report looks at one map's flag.
class flag_view {
 public:
  /// Asks the writer that is inside to stop on its way out, and takes that back.
  virtual void mark() noexcept = 0;
  virtual void unmark() noexcept = 0;
  /// True while `thread` is changing this map.
  [[nodiscard]] virtual bool holds(const stacks::thread_record& thread) const noexcept = 0;
  [[nodiscard]] virtual last_writer suspect() const noexcept = 0;

 protected:
  flag_view() = default;
  flag_view(const flag_view&) = default;
  flag_view& operator=(const flag_view&) = default;
  ~flag_view() = default;
};

[[nodiscard]] constexpr bool is_write(misuse what) noexcept {
  return what == misuse::writes || what == misuse::destroyed_in_use || what == misuse::moved_in_use;
}

/// Where the two threads of one finding meet: the detecting thread claims it, the other one lends its stack.
/// There is one for the process. Phases:
///   idle -> claimed (detecting thread) -> open -> lending (other thread) -> lent -> idle (detecting thread)
///   lending -> abandoned (the detecting thread waits no longer) -> idle (other thread)
class meeting {
 public:
  /// True if the caller may put a finding together now; it then calls leave().
  RACELAB_WRITE_FLAG_COLD bool claim(const void* map, bool by_writer) noexcept {
    if (!advance(phase::idle, phase::claimed)) return false;
    map_.store(map, std::memory_order_relaxed);
    by_writer_.store(by_writer, std::memory_order_relaxed);
    hidden_fence();
    phase_.store(phase::open, std::memory_order_relaxed);
    return true;
  }

  /// Lends the calling thread's stack to a meeting about `map`. Two readers are no pair, so a reader lends
  /// only to a writer.
  RACELAB_WRITE_FLAG_COLD void lend(const void* map, bool by_writer) noexcept {
    if (phase_.load(std::memory_order_relaxed) != phase::open) return;
    hidden_fence();
    if (map_.load(std::memory_order_relaxed) != map) return;
    if (!by_writer && !by_writer_.load(std::memory_order_relaxed)) return;
    stacks::raw_trace mine;
    stacks::capture(mine);
    if (!advance(phase::open, phase::lending)) return;
    id_.store(stacks::self().id.load(std::memory_order_relaxed), std::memory_order_relaxed);
    for (std::size_t i = 0; i < mine.size; ++i) pcs_[i].store(mine.pcs[i], std::memory_order_relaxed);
    size_.store(mine.size, std::memory_order_relaxed);
    hidden_fence();
    if (!advance(phase::lending, phase::lent)) phase_.store(phase::idle, std::memory_order_relaxed);
  }

  /// The lent stack, if there is one by now. For the thread that claimed.
  RACELAB_WRITE_FLAG_COLD bool borrow(std::uint32_t& id, stacks::raw_trace& into) noexcept {
    if (phase_.load(std::memory_order_relaxed) != phase::lent) return false;
    hidden_fence();
    id = id_.load(std::memory_order_relaxed);
    into.size = size_.load(std::memory_order_relaxed);
    into.exact_top = false;
    for (std::size_t i = 0; i < into.size; ++i) into.pcs[i] = pcs_[i].load(std::memory_order_relaxed);
    return true;
  }

  /// Ends what claim() began.
  RACELAB_WRITE_FLAG_COLD void leave() noexcept {
    if (advance(phase::open, phase::idle)) return;
    if (advance(phase::lending, phase::abandoned)) return;
    hidden_fence();
    phase_.store(phase::idle, std::memory_order_relaxed);
  }

 private:
  enum class phase : std::uint32_t { idle, claimed, open, lending, lent, abandoned };

  bool advance(phase from, phase to) noexcept {
    return phase_.compare_exchange_strong(from, to, std::memory_order_relaxed);
  }

  std::atomic<phase> phase_{phase::idle};
  // Written by the thread that claimed, before `open`:
  std::atomic<const void*> map_{nullptr};
  std::atomic<bool> by_writer_{false};
  // Written by the thread that lends, before `lent`:
  std::atomic<std::uint32_t> id_{0};
  std::atomic<std::uint32_t> size_{0};
  std::array<std::atomic<std::uintptr_t>, stacks::max_frames> pcs_{};
};
inline constinit meeting the_meeting;

/// A finding that is being put together: at most three traces.
class evidence {
 public:
  RACELAB_WRITE_FLAG_COLD evidence(misuse what, const void* map, flag_view& flag) noexcept
      : what_(what), map_(map), flag_(flag), me_(stacks::self()), my_id_(id_of(me_)) {
    begin_trace(my_id_, "running", &me_);
    stacks::capture(traces_[0].stack);
  }

  /// Looks for the other thread until it is found, is known to have left, or `patience` is over.
  RACELAB_WRITE_FLAG_COLD void find_other(milliseconds patience) noexcept {
    if (flag_.suspect().id == my_id_ && my_id_ != 0) {
      other_ = other_thread::itself;
      traces_[0].note = "this thread used the map from within its own operation, further down in this stack";
      return;
    }
    const last_writer suspect = flag_.suspect();
    const auto deadline = clock::now() + patience;
    stacks::raw_trace stack;
    while (stacks::thread_record* const other = thread_inside()) {
      const std::uint32_t id = id_of(*other);
      const bool answered = stacks::capture_other(*other, stack, signal_patience);
      if (take_lent()) return;
      if (answered && flag_.holds(*other) && id_of(*other) == id) {
        begin_trace(id, "running", other).stack = stack;
        other_ = other_thread::inside;
        return;
      }
      if (clock::now() > deadline) {
        other_ = other_thread::silent;
        show_entry({id, id == suspect.id ? suspect.entry : 0}, "no answer; it entered here", other);
        return;
      }
      nap();
    }
    nap();  // for a thread that has just left, and is lending its stack
    if (!take_lent()) show_where_it_entered(suspect);
  }

  [[nodiscard]] finding result() const noexcept { return {what_, map_, other_, {traces_.data(), size_}}; }

 private:
  static std::uint32_t id_of(const stacks::thread_record& thread) noexcept {
    return thread.id.load(std::memory_order_relaxed);
  }

  stacks::thread_trace& begin_trace(std::uint32_t id, const char* doing,
                                    const stacks::thread_record* thread) noexcept {
    stacks::thread_trace& trace = traces_[size_++];
    trace.id = id;
    trace.state = doing;
    if (thread != nullptr) trace.created_by = thread->created_by;
    return trace;
  }

  RACELAB_WRITE_FLAG_COLD bool take_lent() noexcept {
    std::uint32_t id = 0;
    stacks::raw_trace stack;
    if (!the_meeting.borrow(id, stack)) return false;
    begin_trace(id, "running", live_thread(id)).stack = stack;
    other_ = other_thread::inside;
    return true;
  }

  RACELAB_WRITE_FLAG_COLD stacks::thread_record* thread_inside() const noexcept {
    struct search {
      const evidence& about;
      stacks::thread_record* result = nullptr;
    } one{*this};
    stacks::for_each_thread(
        [](stacks::thread_record& thread, void* argument) {
          search& in = *static_cast<search*>(argument);
          if (in.result == nullptr && &thread != &in.about.me_ && in.about.flag_.holds(thread))
            in.result = &thread;
        },
        &one);
    return one.result;
  }

  RACELAB_WRITE_FLAG_COLD static stacks::thread_record* live_thread(std::uint32_t id) noexcept {
    struct search {
      std::uint32_t id = 0;
      stacks::thread_record* result = nullptr;
    } one{id};
    stacks::for_each_thread(
        [](stacks::thread_record& thread, void* argument) {
          search& in = *static_cast<search*>(argument);
          if (id_of(thread) == in.id) in.result = &thread;
        },
        &one);
    return one.result;
  }

  RACELAB_WRITE_FLAG_COLD void show_entry(last_writer writer, const char* doing,
                                          const stacks::thread_record* thread) noexcept {
    stacks::raw_trace& stack = begin_trace(writer.id, doing, thread).stack;
    stack.pcs[0] = writer.entry;
    stack.size = writer.entry == 0 ? 0 : 1;
    stack.exact_top = true;
  }

  RACELAB_WRITE_FLAG_COLD void show_where_it_entered(last_writer suspect) noexcept {
    if (suspect.id == 0) {
      traces_[0].note = "the other thread has left the map, and is not known";
      return;
    }
    stacks::thread_record* const thread = live_thread(suspect.id);
    other_ = thread == nullptr ? other_thread::ended : other_thread::left;
    show_entry(suspect, thread == nullptr ? "ended; it entered here" : "has left; it entered here", thread);
    if (thread == nullptr) return;
    stacks::raw_trace now;
    if (!stacks::capture_other(*thread, now, signal_patience) || id_of(*thread) != suspect.id) return;
    begin_trace(suspect.id, "the same thread now", thread).stack = now;
  }

  misuse what_;
  const void* map_;
  flag_view& flag_;
  stacks::thread_record& me_;
  std::uint32_t my_id_;
  other_thread other_ = other_thread::unknown;
  std::array<stacks::thread_trace, 3> traces_;
  std::size_t size_ = 0;
};

RACELAB_WRITE_FLAG_COLD inline policy current_policy() noexcept {
  int chosen = state.chosen_policy.load(std::memory_order_relaxed);
  if (chosen < 0) {
    const char* const wanted = std::getenv("RACELAB_WRITE_FLAG");
    const bool report = wanted != nullptr && std::strcmp(wanted, "report") == 0;
    chosen = static_cast<int>(report ? policy::report : policy::abort);
    state.chosen_policy.store(chosen, std::memory_order_relaxed);
  }
  return static_cast<policy>(chosen);
}

/// Under policy::report, true once in an interval.
RACELAB_WRITE_FLAG_COLD inline bool may_print_now() noexcept {
  const std::int64_t now = clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
  std::int64_t next = state.next_report_ns.load(std::memory_order_relaxed);
  if (now < next) return false;
  return state.next_report_ns.compare_exchange_strong(
      next, now + state.report_interval_ns.load(std::memory_order_relaxed), std::memory_order_relaxed);
}

/// Another thread reports and then ends the process.
[[noreturn]] RACELAB_WRITE_FLAG_COLD inline void wait_for_the_end() noexcept {
  const auto deadline = clock::now() + end_patience;
  while (clock::now() < deadline) nap();
  _exit(2);
}

/// Everything that follows a finding. `caught`: this thread met another one's mark on its way out, which is
/// that one's finding and no second one.
RACELAB_WRITE_FLAG_COLD inline void handle(misuse what, const void* map, flag_view& flag,
                                           bool caught) noexcept {
  if (!caught) state.found[static_cast<std::size_t>(what)].fetch_add(1, std::memory_order_relaxed);
  the_meeting.lend(map, caught || is_write(what));

  const auto handler = state.handler.load(std::memory_order_relaxed);
  const bool fatal = handler == nullptr && current_policy() == policy::abort;
  if (!fatal && (caught || (handler == nullptr && !may_print_now()))) return;
  if (caught || !the_meeting.claim(map, is_write(what))) {
    if (fatal) wait_for_the_end();
    return;
  }

  flag.mark();
  evidence all(what, map, flag);
  all.find_other(fatal ? abort_patience : report_patience);
  if (!fatal) {
    flag.unmark();
    the_meeting.leave();
  }

  state.reported.fetch_add(1, std::memory_order_relaxed);
  const finding result = all.result();
  if (handler != nullptr) {
    handler(result);
    return;
  }
  std::array<char, 96> line{};
  // NOLINTBEGIN(clang-analyzer-security.insecureAPI.strcpy): texts of ours, and the longest two fit
  std::strcpy(line.data(), fatal ? "fatal error: " : "racelab: ");
  std::strcat(line.data(), message(what));
  // NOLINTEND(clang-analyzer-security.insecureAPI.strcpy)
  stacks::print_report(STDERR_FILENO, line.data(), result.threads);
  if (fatal) _exit(2);
}

/// Who entered which map last, for maps whose flag is one byte and can't say. A hint: maps whose addresses
/// fall together take each other's place.
struct alignas(64) recent_writers {
  struct one {
    std::atomic<std::uint32_t> id{0};
    std::atomic<std::uintptr_t> entry{0};
  };
  std::atomic<const void*> map{nullptr};
  one last;
  one before;  // the last one that is another thread than `last`
};
inline constinit std::array<recent_writers, 64> recent_writers_table;

[[gnu::always_inline]] inline recent_writers& recent_writers_of(const void* map) noexcept {
  const auto address = reinterpret_cast<std::uintptr_t>(map);
  return recent_writers_table[(address >> 4U ^ address >> 10U) % recent_writers_table.size()];
}

class byte_flag_view final : public flag_view {
 public:
  byte_flag_view(const void* map, std::atomic<std::uint8_t>& flags) noexcept : map_(map), flags_(flags) {}

  // Read-modify-write, though relaxed: a load and a store could bring back a writing bit that its writer has
  // just cleared.
  void mark() noexcept override { flags_.fetch_or(caught_bit, std::memory_order_relaxed); }
  void unmark() noexcept override {
    flags_.fetch_and(static_cast<std::uint8_t>(~caught_bit), std::memory_order_relaxed);
  }
  [[nodiscard]] bool marked() const noexcept {
    return (flags_.load(std::memory_order_relaxed) & caught_bit) != 0;
  }
  [[nodiscard]] bool holds(const stacks::thread_record& thread) const noexcept override {
    return thread.busy_with.load(std::memory_order_relaxed) == map_;
  }
  [[nodiscard]] last_writer suspect() const noexcept override {
    const recent_writers& recent = recent_writers_of(map_);
    if (recent.map.load(std::memory_order_relaxed) != map_) return {};
    const std::uint32_t me = stacks::self().id.load(std::memory_order_relaxed);
    const auto& other = recent.last.id.load(std::memory_order_relaxed) == me ? recent.before : recent.last;
    return {other.id.load(std::memory_order_relaxed), other.entry.load(std::memory_order_relaxed)};
  }

 private:
  const void* map_;
  std::atomic<std::uint8_t>& flags_;
};

}  // namespace detail

/// The detector for a map that keeps a flags byte of its own, as Go's hmap does. Such a map
/// - calls found() if the byte shows a writer when an operation begins;
/// - before it sets its writing bit calls entered(), after it has cleared it left(), also if the operation
/// throws;
/// - on the way out, before it clears the bit, calls found(misuse::writes, …) if the bit is gone or
/// caught_bit is set.
struct on {
  static constexpr bool enabled = true;

  [[gnu::always_inline]] static void entered(const void* map) noexcept {
    stacks::thread_record& me = stacks::current != nullptr ? *stacks::current : stacks::self();
    const std::uint32_t id = me.id.load(std::memory_order_relaxed);
    const std::uintptr_t entry = here();
    me.busy_with.store(map, std::memory_order_relaxed);
    detail::recent_writers& recent = detail::recent_writers_of(map);
    if (recent.map.load(std::memory_order_relaxed) != map) {
      recent.map.store(map, std::memory_order_relaxed);
      recent.before.id.store(0, std::memory_order_relaxed);
    } else if (const std::uint32_t last = recent.last.id.load(std::memory_order_relaxed); last != id) {
      recent.before.id.store(last, std::memory_order_relaxed);
      recent.before.entry.store(recent.last.entry.load(std::memory_order_relaxed), std::memory_order_relaxed);
    }
    recent.last.id.store(id, std::memory_order_relaxed);
    recent.last.entry.store(entry, std::memory_order_relaxed);
  }

  [[gnu::always_inline]] static void left(const void* /*map*/) noexcept {
    if (stacks::current != nullptr) stacks::current->busy_with.store(nullptr, std::memory_order_relaxed);
  }

  RACELAB_WRITE_FLAG_COLD static void found(misuse what, const void* map,
                                            std::atomic<std::uint8_t>& flags) noexcept {
    detail::byte_flag_view view(map, flags);
    // Only a thread inside is leaving; one that comes in and sees the mark has made a finding of its own.
    const bool leaving = view.holds(stacks::self());
    detail::handle(what, map, view, leaving && view.marked());
  }
};

}  // namespace racelab::write_flag
