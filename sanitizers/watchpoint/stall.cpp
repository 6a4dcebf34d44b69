#include "sanitizers/watchpoint/stall.hpp"

#include <linux/futex.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <optional>

#include "sanitizers/watchpoint/breakpoints.hpp"
#include "sanitizers/watchpoint/events.hpp"
#include "sanitizers/watchpoint/log.hpp"
#include "sanitizers/watchpoint/memory.hpp"
#include "sanitizers/watchpoint/runtime.hpp"
#include "sanitizers/watchpoint/seen_pairs.hpp"
#include "sanitizers/watchpoint/state.hpp"

#if __has_include(<sys/rseq.h>)
#include <sys/rseq.h>
#endif

namespace racelab::watch {
namespace {

constinit seen_pairs recorded;
constinit std::atomic<std::uint32_t> record_count{0};
constinit std::atomic<std::uint32_t> others_count{0};
constinit std::atomic<record_function> on_record{nullptr};

void publish(const record& what) noexcept {
  write_log(what);
  if (const auto handler = on_record.load(std::memory_order_relaxed)) handler(what);
}

bool first_of_its_kind(std::uintptr_t a, std::uintptr_t b) noexcept {
  return record_count.load(std::memory_order_relaxed) < settings.max_records && recorded.insert(a, b) &&
         record_count.fetch_add(1, std::memory_order_relaxed) < settings.max_records;
}

void wake(watchpoint& place) noexcept {
  if (place.wake.exchange(1, std::memory_order_relaxed) == 0)
    syscall(SYS_futex, &place.wake, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}

// Accesses made while somebody was stalled.
constinit std::atomic<std::uint32_t> looks{0};

// One more access of a running thread. Those who have stood aside for long enough are woken.
void count_look() noexcept {
  const std::uint32_t now = looks.fetch_add(1, std::memory_order_relaxed) + 1;
  if (now % 8 != 0) return;
  watchpoints.for_each_stalled([now](watchpoint& place) {
    if (static_cast<std::int32_t>(now - place.due.load(std::memory_order_relaxed)) >= 0) wake(place);
  });
}

// A site of a caught pair earns more chances.
void reward(std::uintptr_t pc) noexcept {
  site* where = sites.find_or_insert(pc);
  if (where == nullptr || where->earned.load(std::memory_order_relaxed) >= settings.most_earned) return;
  where->earned.fetch_add(settings.earned_visits, std::memory_order_relaxed);
  site_attention.set_quiet(pc, false);
}

side stalled_side(watchpoint& place) noexcept {
  side result{.what = place.what,
              .thread = place.owner->id.load(std::memory_order_relaxed),
              .visit = place.visit,
              .rule = place.how.rule,
              .stack = {},
              .created_by = place.owner->created_by};
  stacks::capture_standing(result.stack, place.standing);
  // Where it stood is not what was read, then.
  if (watchpoint_table::has_left(place)) result.stack.size = 0;
  return result;
}

// This thread has come to the bytes of one that is stalled: both are caught.
void catch_pair(watchpoint& place, const access& came, stacks::thread_record& me) noexcept {
  put_off_cancellation();
  counts.pairs.fetch_add(1, std::memory_order_relaxed);
  note_hit(came);
  reward(place.what.pc);
  reward(came.pc);
  if (first_of_its_kind(place.what.pc, came.pc)) {
    record result;
    result.stalled = stalled_side(place);
    result.came.what = came;
    result.came.thread = me.id.load(std::memory_order_relaxed);
    stacks::capture(result.came.stack);
    result.came.created_by = me.created_by;
    result.value_before = place.value_before;
    publish(result);
  }
  const bool get_up = place.how.until_hit;
  watchpoint_table::done(place);
  if (get_up) wake(place);
}

// The kernel writes there whenever it moves the thread to another processor, and a stall makes it do so.
bool is_rseq_area([[maybe_unused]] std::uintptr_t address) noexcept {
#if __has_include(<sys/rseq.h>)
  const auto area = reinterpret_cast<std::uintptr_t>(__builtin_thread_pointer()) +
                    static_cast<std::uintptr_t>(__rseq_offset);
  return __rseq_size != 0 && address - area < sizeof(rseq);
#else
  return false;
#endif
}

// Sleeps (a spin would keep the others from running on few cores) until it is woken or the time is up. True if it was
// woken.
bool sleep_out(const std::atomic<std::uint32_t>& woken, std::uint32_t microseconds) noexcept {
  const std::uint64_t end = now_ns() + std::uint64_t{microseconds} * 1000U;
  for (std::uint64_t now = now_ns(); now < end; now = now_ns()) {
    const timespec rest{.tv_sec = static_cast<time_t>((end - now) / 1'000'000'000U),
                        .tv_nsec = static_cast<long>((end - now) % 1'000'000'000U)};
    syscall(SYS_futex, &woken, FUTEX_WAIT_PRIVATE, 0, &rest, nullptr, 0);
    if (woken.load(std::memory_order_relaxed) != 0) return true;
  }
  return false;
}

// The signals that are put off while a thread is stalled, as the kernel wants them: one bit each. The accesses of a
// handler are the thread's own, but would change the value that it looks at; and a handler may jump away and leave a
// watchpoint that stands for nothing. So may glibc's own for cancellation, which its sigprocmask would not block. Not
// put off: what a fault raises, and what stacks::capture_other asks with.
constinit std::uint64_t put_off = 0;

std::uint64_t change_signal_mask(int how, std::uint64_t mask) noexcept {
  std::uint64_t before = 0;
  syscall(SYS_rt_sigprocmask, how, &mask, &before, sizeof before);
  return before;
}

// Nobody was seen. If yet the value is another one, somebody wrote unseen, most likely because that code is not
// instrumented.
void look_for_change(watchpoint& place, const breakpoints* armed) noexcept {
  if (is_rseq_area(place.what.address)) return;
  const std::optional<std::uint64_t> after = value_after(place.what);
  if (!after || *after == place.value_before) return;
  counts.changed.fetch_add(1, std::memory_order_relaxed);
  if (!first_of_its_kind(place.what.pc, 0)) return;
  record result;
  result.what = record::kind::changed;
  result.stalled = stalled_side(place);
  result.value_before = place.value_before;
  result.value_after = *after;
  if (armed != nullptr) {
    result.by.asked = true;
    armed->look(result.by);
    result.by.mapped_twice = is_mapped_twice(place.what.address);
  }
  publish(result);
}

bool wants_others(const stall& how) noexcept {
  return how.others && others_count.fetch_add(1, std::memory_order_relaxed) < settings.max_records;
}

// The stall has ended, and nobody has come.
void look_around(watchpoint& place, const breakpoints* armed, const stacks::thread_record& me) noexcept {
  if (has_value(place.what)) look_for_change(place, armed);
  if (wants_others(place.how)) write_others(stalled_side(place), me);
}

// True if the thread has itself come to another stalled one.
bool wait_behind(watchpoint& place, stacks::thread_record& me) noexcept {
  watchpoints.arm(place);
  attention.store(&full_attention, std::memory_order_relaxed);
  // Another thread may have come at the very same time, seen nobody either, and be stalled by now.
  watchpoint* const other = watchpoints.take(place.what, me.id.load(std::memory_order_relaxed));
  if (other != nullptr) catch_pair(*other, place.what, me);
  if (other != nullptr && place.how.until_hit) return true;
  const bool woken = sleep_out(place.wake, place.how.microseconds);
  if (woken && place.how.linger != 0) sleep_for(place.how.linger);
  return other != nullptr;
}

}  // namespace

// Atomic and relaxed because others may write the bytes: that is what is being looked for.
std::uint64_t value_before(const access& what) noexcept {
  errno = mine.error;  // perhaps it is errno that is read here
  const auto* const bytes = reinterpret_cast<const std::uint8_t*>(what.address);
  switch (what.address % what.size == 0 ? what.size : 0) {
    case 2:
      return __atomic_load_n(reinterpret_cast<const std::uint16_t*>(bytes), __ATOMIC_RELAXED);
    case 4:
      return __atomic_load_n(reinterpret_cast<const std::uint32_t*>(bytes), __ATOMIC_RELAXED);
    case 8:
      return __atomic_load_n(reinterpret_cast<const std::uint64_t*>(bytes), __ATOMIC_RELAXED);
    default:
      break;
  }
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < what.size; ++i)
    value |= std::uint64_t{__atomic_load_n(bytes + i, __ATOMIC_RELAXED)} << (8 * i);
  return value;
}

std::optional<std::uint64_t> value_after(const access& what) noexcept {
  std::uint64_t value = 0;
  errno = mine.error;  // perhaps it is errno that is read here
  if (!read_memory(what.address, &value, what.size)) return {};
  return value;
}

void choose_signals() noexcept {
  put_off = ~std::uint64_t{0};
  for (const int open : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS, SIGABRT, SIGRTMIN + 3})
    put_off &= ~(std::uint64_t{1} << static_cast<unsigned>(open - 1));
}

void stall_before(const access& what, std::uint32_t visit, const stall& how) noexcept {
  put_off_cancellation();
  const std::uint64_t mask = change_signal_mask(SIG_BLOCK, put_off);
  // Before the value is read: whatever changes it then is seen.
  std::optional<breakpoints> armed;
  if (how.writers && has_value(what)) armed.emplace(what);
  // Before the watchpoint is claimed: reading may fault, and the program's handler may jump away.
  const std::uint64_t value = has_value(what) ? value_before(what) : 0;
  watchpoint* const place = watchpoints.claim();
  if (place == nullptr) {
    counts.dropped.fetch_add(1, std::memory_order_relaxed);
  } else {
    counts.stalls.fetch_add(1, std::memory_order_relaxed);
    stacks::thread_record& me = stacks::self();
    place->what = what;
    place->owner = &me;
    place->visit = visit;
    place->how = how;
    place->value_before = value;
    place->by_rule.store(how.rule >= 0, std::memory_order_relaxed);
    place->wake.store(0, std::memory_order_relaxed);
    place->due.store(looks.load(std::memory_order_relaxed) + how.looks, std::memory_order_relaxed);
    stacks::stand(place->standing);
    const bool met = wait_behind(*place, me);
    if (!watchpoints.disarm(*place)) {
      if (!met) look_around(*place, armed ? &*armed : nullptr, me);
      watchpoint_table::give_back(*place);
    }
    choose_attention();
  }
  change_signal_mask(SIG_SETMASK, mask);
}

void sleep_for(std::uint32_t microseconds) noexcept {
  const std::atomic<std::uint32_t> never{0};
  sleep_out(never, microseconds);
}

void delay_before(const access& what, std::uint32_t visit, const stall& how) noexcept {
  put_off_cancellation();
  sleep_for(how.microseconds);
  if (!wants_others(how)) return;
  const stacks::thread_record& me = stacks::self();
  side delayed{.what = what,
               .thread = me.id.load(std::memory_order_relaxed),
               .visit = visit,
               .rule = how.rule,
               .stack = {},
               .created_by = me.created_by};
  stacks::capture(delayed.stack);
  write_others(delayed, me);
}

bool meet_stalled(const access& what) noexcept {
  count_look();
  stacks::thread_record& me = stacks::self();
  watchpoint* const place = watchpoints.take(what, me.id.load(std::memory_order_relaxed));
  if (place != nullptr) catch_pair(*place, what, me);
  return place != nullptr;
}

void hand_over() noexcept {
  if (watchpoints.stalled() + 2 < stacks::live_threads()) return;
  watchpoint* first = nullptr;
  watchpoints.for_each_stalled([&first](watchpoint& place) {
    if (place.wake.load(std::memory_order_relaxed) != 0 || place.by_rule.load(std::memory_order_relaxed))
      return;
    if (first == nullptr || static_cast<std::int32_t>(place.due.load(std::memory_order_relaxed) -
                                                      first->due.load(std::memory_order_relaxed)) < 0)
      first = &place;
  });
  if (first != nullptr) wake(*first);
}

void forget_records() noexcept {
  recorded.clear();
  record_count.store(0, std::memory_order_relaxed);
  others_count.store(0, std::memory_order_relaxed);
}

void set_record_handler(record_function handler) noexcept {
  on_record.store(handler, std::memory_order_relaxed);
}

}  // namespace racelab::watch
