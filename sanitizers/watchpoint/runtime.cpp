#include "sanitizers/watchpoint/runtime.hpp"

#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/single_threaded.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>

#include "sanitizers/watchpoint/log.hpp"
#include "sanitizers/watchpoint/options.hpp"
#include "sanitizers/watchpoint/perturb.hpp"
#include "sanitizers/watchpoint/seen_pairs.hpp"
#include "sanitizers/watchpoint/sites.hpp"
#include "sanitizers/watchpoint/watchpoints.hpp"
#include "stacks/threads.hpp"

namespace racelab::watch {

constinit attention_table site_attention{};
constinit attention_table full_attention{};
constinit std::atomic<const attention_table*> attention{&full_attention};

namespace {

constinit site_table sites;
constinit watchpoint_table watchpoints;
constinit options settings;
constinit std::atomic<bool> initialised{false};
constinit std::atomic<decide_function> decide{nullptr};
constinit std::atomic<record_function> on_record{nullptr};

constinit std::atomic<std::uint64_t> stalls{0};
constinit std::atomic<std::uint64_t> pairs{0};
constinit std::atomic<std::uint64_t> changed{0};
constinit std::atomic<std::uint64_t> dropped{0};

// What the runtime knows of a thread. Trivial, so that reading it never runs a constructor.
struct thread_state {
  bool inside;    // in the runtime: a signal handler's accesses, and our own, pass
  bool prepared;  // seeded, timer slack set
  int error;      // the program's errno while inside
  std::uint64_t random;
  std::uint32_t skip;  // looks until the next stall beyond a site's first visits
};
constinit thread_local thread_state mine __attribute__((tls_model("initial-exec"))) = {};

// splitmix64 (Steele, Lea, Flood 2014): one word of state, good enough to spread stalls.
std::uint64_t next_random(std::uint64_t& state) noexcept {
  std::uint64_t z = (state += 0x9e3779b97f4a7c15U);
  z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31U);
}

void prepare_thread() noexcept {
  if (mine.prepared) return;
  mine.prepared = true;
  // The thread's own number, so that the same seed makes the same choices in every thread, whichever runs
  // first.
  mine.random = settings.seed ^ (std::uint64_t{stacks::self().id.load(std::memory_order_relaxed)} << 32U);
  mine.skip = settings.skip;
  prctl(PR_SET_TIMERSLACK, 1000UL, 0UL, 0UL, 0UL);  // a sleep of 50 us that takes 100 is of no use here
}

constinit seen_pairs recorded;
constinit std::atomic<std::uint32_t> record_count{0};

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

// This thread has come to the bytes of one that is stalled: both are caught.
void catch_pair(watchpoint& place, const access& came, stacks::thread_record& me) noexcept {
  pairs.fetch_add(1, std::memory_order_relaxed);
  reward(place.what.pc);
  reward(came.pc);
  if (first_of_its_kind(place.what.pc, came.pc)) {
    record result;
    result.stalled = {.what = place.what,
                      .thread = place.owner->id.load(std::memory_order_relaxed),
                      .visit = place.visit,
                      .stack = place.stack,
                      .created_by = place.owner->created_by};
    result.came.what = came;
    result.came.thread = me.id.load(std::memory_order_relaxed);
    stacks::capture(result.came.stack);
    result.came.created_by = me.created_by;
    result.value_before = place.value_before;
    publish(result);
  }
  const bool get_up = place.until_hit;
  watchpoint_table::done(place);
  if (get_up) wake(place);
}

// The bytes as a number, for accesses of up to 8 bytes. Atomic and relaxed because others may write them:
// that is what is being looked for.
std::uint64_t value_at(const access& what) noexcept {
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

std::uint64_t now_ns() noexcept {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(now.tv_nsec);
}

// Before the last running thread stalls, the one that is due first gets up: somebody has to come. (One of the
// live threads may be waiting for the others to end.)
void hand_over() noexcept {
  if (watchpoints.stalled() + 2 < stacks::live_threads()) return;
  watchpoint* first = nullptr;
  watchpoints.for_each_stalled([&first](watchpoint& place) {
    if (place.wake.load(std::memory_order_relaxed) != 0) return;
    if (first == nullptr || static_cast<std::int32_t>(place.due.load(std::memory_order_relaxed) -
                                                      first->due.load(std::memory_order_relaxed)) < 0)
      first = &place;
  });
  if (first != nullptr) wake(*first);
}

// In a window every access is looked at, not only those at fresh sites.
constinit std::atomic<bool> window_open{true};

// Two threads may do this at once and the one that saw less may store last: that misses a chance.
void choose_attention() noexcept {
  const bool full = watchpoints.stalled() != 0 || window_open.load(std::memory_order_relaxed) ||
                    decide.load(std::memory_order_relaxed) != nullptr;
  attention.store(full ? &full_attention : &site_attention, std::memory_order_relaxed);
}

// Sleeps (a spin would keep the others from running on few cores) until it is woken or the time is up.
void sleep_out(watchpoint& place, std::uint32_t microseconds) noexcept {
  const std::uint64_t end = now_ns() + std::uint64_t{microseconds} * 1000U;
  for (std::uint64_t now = now_ns(); now < end; now = now_ns()) {
    const timespec rest{.tv_sec = static_cast<time_t>((end - now) / 1'000'000'000U),
                        .tv_nsec = static_cast<long>((end - now) % 1'000'000'000U)};
    syscall(SYS_futex, &place.wake, FUTEX_WAIT_PRIVATE, 0, &rest, nullptr, 0);
    if (place.wake.load(std::memory_order_relaxed) != 0) return;
  }
}

// The signals that are put off while a thread is stalled. The accesses of a handler are the thread's own, but
// would change the value that it looks at; and a handler may jump away and leave a watchpoint that stands for
// nothing. Not put off: what a fault raises, and what stacks::capture_other asks with.
constinit sigset_t put_off{};

void choose_signals() noexcept {
  sigfillset(&put_off);
  for (const int open : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS, SIGABRT, SIGRTMIN + 3})
    sigdelset(&put_off, open);
}

// Nobody was seen. If yet the value is another one, somebody wrote unseen, most likely because that code is not
// instrumented.
void look_for_change(const watchpoint& place, const stacks::thread_record& me) noexcept {
  const std::uint64_t after = value_at(place.what);
  if (after == place.value_before) return;
  changed.fetch_add(1, std::memory_order_relaxed);
  if (!first_of_its_kind(place.what.pc, 0)) return;
  record result;
  result.what = record::kind::changed;
  result.stalled = {.what = place.what,
                    .thread = me.id.load(std::memory_order_relaxed),
                    .visit = place.visit,
                    .stack = place.stack,
                    .created_by = me.created_by};
  result.value_before = place.value_before;
  result.value_after = after;
  publish(result);
}

void stall_before(const access& what, std::uint32_t visit, stall how) noexcept {
  watchpoint* place = watchpoints.claim();
  if (place == nullptr) {
    dropped.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  stalls.fetch_add(1, std::memory_order_relaxed);
  sigset_t before;
  pthread_sigmask(SIG_BLOCK, &put_off, &before);
  const stacks::thread_record& me = stacks::self();
  const bool has_value = !what.release && what.size <= 8;
  place->what = what;
  place->owner = &me;
  place->visit = visit;
  place->until_hit = how.until_hit;
  place->wake.store(0, std::memory_order_relaxed);
  place->due.store(looks.load(std::memory_order_relaxed) + how.looks, std::memory_order_relaxed);
  stacks::capture(place->stack);
  place->value_before = has_value ? value_at(what) : 0;
  watchpoints.arm(*place);
  attention.store(&full_attention, std::memory_order_relaxed);
  sleep_out(*place, how.microseconds);
  if (!watchpoints.disarm(*place)) {
    if (has_value) look_for_change(*place, me);
    watchpoint_table::give_back(*place);
  }
  choose_attention();
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

// A stack's own variables are seldom shared, and there are many: stalls there would only keep the thread from
// meeting others. The stack pointer is a good enough guess at where the thread's own frames are.
bool on_own_stack(std::uintptr_t address) noexcept {
  const auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
  return address - here < (std::uintptr_t{1} << 16U);
}

// Run by the pacemaker: a window is open for the first window_ms of a program with threads, then again after
// a gap of the same length, of twice that, and so on, so that a program which runs for long is watched at a
// cost that falls.
void tick(std::uint64_t now) noexcept {
  static constinit std::uint64_t turn = 0;
  static constinit std::uint64_t gap = 0;
  if (turn == 0) turn = now + settings.window_ms;
  if (now < turn) return;
  const bool open = !window_open.load(std::memory_order_relaxed);
  window_open.store(open, std::memory_order_relaxed);
  if (!open) gap = gap == 0 ? settings.window_ms : 2 * gap;
  turn = now + (open ? settings.window_ms : gap);
  choose_attention();
}

// Uniform in [0, most], from the bits of `random` above `shift`.
std::uint32_t up_to(std::uint64_t most, std::uint64_t random, unsigned shift) noexcept {
  return static_cast<std::uint32_t>((random >> shift) % (most + 1));
}

// The built-in policy. A site's first visits are stalled at even odds, and more of them where a stall has
// caught somebody; in a window each thread also stalls at one in so many of its looks.
stall choose(const access& what, site& where) noexcept {
  const std::uint32_t chances = settings.first_visits + where.earned.load(std::memory_order_relaxed);
  const std::uint32_t used = where.chances.load(std::memory_order_relaxed);
  if (used + 1 >= chances) site_attention.set_quiet(what.pc, true);
  const std::uint64_t random = next_random(mine.random);
  if (used < chances) {
    where.chances.fetch_add(1, std::memory_order_relaxed);
    if ((random & 1U) != 0) return {};
  } else if (window_open.load(std::memory_order_relaxed)) {
    if (mine.skip > 0) {
      --mine.skip;
      return {};
    }
    mine.skip = up_to(2 * std::uint64_t{settings.skip}, random, 40);
  } else {
    return {};
  }
  return {.microseconds = up_to(settings.stall_us, random, 1),
          .looks = up_to(settings.stall_looks, random, 20)};
}

void stall_by_policy(const access& what) noexcept {
  prepare_thread();
  if (stacks::live_threads() < 2 || on_own_stack(what.address)) return;
  if (settings.window_ms != 0) start_pacemaker(tick);
  site* where = sites.find_or_insert(what.pc);
  if (where == nullptr) {  // the table is full: this one is not looked at again
    site_attention.set_quiet(what.pc, true);
    return;
  }
  const std::uint32_t visit = where->visits.fetch_add(1, std::memory_order_relaxed);
  const stall how = choose(what, *where);
  if (how.microseconds == 0) return;
  hand_over();
  stall_before(what, visit, how);
}

void stall_by_hook(const access& what, decide_function hook) noexcept {
  site* where = sites.find_or_insert(what.pc);
  const std::uint32_t visit = where != nullptr ? where->visits.fetch_add(1, std::memory_order_relaxed) : 0;
  const stall how = hook(what, visit);
  if (how.microseconds != 0) stall_before(what, visit, how);
}

void look_inside(const access& what) noexcept {
  const decide_function hook = decide.load(std::memory_order_relaxed);
  if (settings.perturb == perturbation::yield && hook == nullptr) {
    prepare_thread();
    if (next_random(mine.random) % 8 == 0) sched_yield();
    return;
  }
  if (watchpoints.stalled() != 0) {
    count_look();
    stacks::thread_record& me = stacks::self();
    if (watchpoint* place = watchpoints.take(what, me.id.load(std::memory_order_relaxed)))
      catch_pair(*place, what, me);
  }
  // "Atomics check but never set" (KCSAN): a stall inside one would stretch what must be indivisible.
  if (what.atomic) return;
  if (hook != nullptr)
    stall_by_hook(what, hook);
  else if (settings.perturb == perturbation::stall)
    stall_by_policy(what);
}

}  // namespace

void look(const access& what) noexcept {
  // With one thread nothing can race, and its visits must not use up those that count.
  if (mine.inside || what.size == 0 || __libc_single_threaded != 0 ||
      !initialised.load(std::memory_order_relaxed))
    return;
  mine.inside = true;
  mine.error = errno;
  look_inside(what);
  errno = mine.error;
  mine.inside = false;
}

void ignore_this_thread() noexcept { mine.inside = true; }

namespace {

// The table is all zero now. Where nothing is stalled nothing can be caught, so nothing need be looked at.
void begin_attention() noexcept {
  const bool watched = settings.perturb == perturbation::stall || settings.perturb == perturbation::yield;
  if (!watched) std::memset(site_attention.bytes, 1, sizeof site_attention.bytes);
  window_open.store(watched && settings.window_ms != 0, std::memory_order_relaxed);
  choose_attention();
}

}  // namespace

void initialise() noexcept {
  if (initialised.load(std::memory_order_relaxed)) return;
  settings = options_from_environment();
  if (settings.log != nullptr && !open_log(settings.log)) {
    std::fprintf(stderr, "racelab: RACELAB_WATCH_LOG: %s: %s\n", settings.log, std::strerror(errno));
    _exit(2);
  }
  stacks::prepare_capture();
  choose_signals();
  pthread_atfork(nullptr, nullptr, [] {
    watchpoints.clear();
    choose_attention();
    forget_pacemaker();
  });
  begin_attention();
  initialised.store(true, std::memory_order_relaxed);
}

void set_decide(decide_function function) noexcept {
  decide.store(function, std::memory_order_relaxed);
  choose_attention();
}

void set_on_record(record_function handler) noexcept { on_record.store(handler, std::memory_order_relaxed); }

counters totals() noexcept {
  return {.stalls = stalls.load(std::memory_order_relaxed),
          .pairs = pairs.load(std::memory_order_relaxed),
          .changed = changed.load(std::memory_order_relaxed),
          .dropped = dropped.load(std::memory_order_relaxed)};
}

std::uint32_t stalled_now() noexcept { return watchpoints.stalled(); }

void reset() noexcept {
  sites.clear();
  recorded.clear();
  record_count.store(0, std::memory_order_relaxed);
  for (auto* counter : {&stalls, &pairs, &changed, &dropped}) counter->store(0, std::memory_order_relaxed);
  std::memset(site_attention.bytes, 0, sizeof site_attention.bytes);
  begin_attention();
}

namespace {

// After the thread registry, which says when the program's threads have ended (stacks/threads.cpp, priority
// 102). A program without instrumented code still has the environment checked and its frees looked at.
[[gnu::constructor(103)]] void initialise_and_start() {
  initialise();
  if (settings.perturb == perturbation::heap) start_heap_churn(settings.seed);
}

}  // namespace

}  // namespace racelab::watch
