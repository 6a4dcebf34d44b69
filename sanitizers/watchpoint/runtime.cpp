#include "sanitizers/watchpoint/runtime.hpp"

#include <pthread.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>

#include "sanitizers/watchpoint/events.hpp"
#include "sanitizers/watchpoint/locks.hpp"
#include "sanitizers/watchpoint/log.hpp"
#include "sanitizers/watchpoint/perturb.hpp"
#include "sanitizers/watchpoint/policy.hpp"
#include "sanitizers/watchpoint/rules.hpp"
#include "sanitizers/watchpoint/stall.hpp"
#include "sanitizers/watchpoint/state.hpp"

namespace racelab::watch {

constinit attention_table site_attention{};
constinit attention_table full_attention{};
constinit std::atomic<const attention_table*> attention{&full_attention};

constinit options settings;
constinit site_table sites;
constinit watchpoint_table watchpoints;
constinit plan the_plan;
constinit live_counters counts;
constinit thread_local thread_state mine __attribute__((tls_model("initial-exec"))) = {};

void prepare_thread() noexcept {
  if (mine.prepared) return;
  mine.prepared = true;
  // The thread's own number, so that the same seed makes the same choices in every thread, whichever runs
  // first.
  mine.random = settings.seed ^ (std::uint64_t{stacks::self().id.load(std::memory_order_relaxed)} << 32U);
  mine.skip = settings.skip;
  prctl(PR_SET_TIMERSLACK, 1000UL, 0UL, 0UL, 0UL);  // a sleep of 50 us that takes 100 is of no use here
}

std::uint64_t now_ns() noexcept {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(now.tv_nsec);
}

void put_off_cancellation() noexcept {
  if (mine.cancellation_is_off) return;
  mine.cancellation_is_off = true;
  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &mine.cancel_state);
  pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, &mine.cancel_type);
}

namespace {

constinit std::atomic<bool> initialised{false};
constinit std::atomic<decide_function> decide{nullptr};

}  // namespace

void choose_attention() noexcept {
  const bool full =
      watchpoints.stalled() != 0 || window_is_open() || decide.load(std::memory_order_relaxed) != nullptr;
  attention.store(full ? &full_attention : &site_attention, std::memory_order_relaxed);
}

void quieten(std::uintptr_t pc) noexcept {
  if (site_attention.quiet(pc)) return;
  bool planned = false;
  the_plan.for_each_pc([&](std::uintptr_t each) { planned = planned || (each ^ pc) % attention_size == 0; });
  if (!planned) site_attention.set_quiet(pc, true);
}

namespace {

void stall_by_hook(const access& what, decide_function hook) noexcept {
  site* where = sites.find_or_insert(what.pc);
  const std::uint32_t visit = where != nullptr ? where->visits.fetch_add(1, std::memory_order_relaxed) : 0;
  const stall how = hook(what, visit);
  if (how.microseconds != 0) stall_before(what, visit, how);
}

void look_inside(const access& what) noexcept {
  if (sites_are_noted()) note_site(what);  // first: the meeting may be the process's end
  const bool met = watchpoints.stalled() != 0 && meet_stalled(what);
  if (!the_plan.empty() && stall_by_rule(what, met)) return;
  const decide_function hook = decide.load(std::memory_order_relaxed);
  if (settings.perturb == perturbation::yield && hook == nullptr) {
    yield_by_policy();
    return;
  }
  // "Atomics check but never set" (KCSAN): a stall inside one would stretch what must be indivisible.
  const bool may_stall = !what.atomic && (hook != nullptr || settings.perturb == perturbation::stall);
  if (!may_stall) {
    // Once is enough.
    if (settings.perturb != perturbation::stall) quieten(what.pc);
  } else if (hook != nullptr) {
    stall_by_hook(what, hook);
  } else {
    stall_by_policy(what);
  }
}

// The others have ended or are not there yet, and nobody wants to be told of what this one does.
bool is_alone() noexcept {
  return stacks::live_threads() < 2 && the_plan.empty() && !sites_are_noted() &&
         decide.load(std::memory_order_relaxed) == nullptr;
}

// Here the thread may end, if another one has asked for it meanwhile: its frames are unwound from here.
void allow_cancellation() {
  mine.cancellation_is_off = false;
  pthread_setcancelstate(mine.cancel_state, nullptr);
  if (mine.cancel_type != PTHREAD_CANCEL_ASYNCHRONOUS) return;
  // In this order: glibc 2.36 forgets to say PTHREAD_CANCELED when it is the new type that ends the thread.
  pthread_testcancel();
  pthread_setcanceltype(mine.cancel_type, nullptr);
}

}  // namespace

void look(const access& what) {
  if (mine.inside || !initialised.load(std::memory_order_relaxed) || is_alone()) return;
  if (what.size == 0 && !what.is_fence()) return;
  mine.inside = true;
  mine.error = errno;
  look_inside(what);
  errno = mine.error;
  mine.inside = false;
  if (mine.cancellation_is_off) allow_cancellation();
}

void ignore_this_thread() noexcept { mine.inside = true; }

namespace {

// The table is all zero now. Where nothing is stalled nothing can be caught, so nothing need be looked at, but for
// what somebody wants to be told of.
void begin_attention() noexcept {
  const bool watched = settings.perturb == perturbation::stall || settings.perturb == perturbation::yield;
  if (!watched && !sites_are_noted()) std::memset(site_attention.bytes, 1, sizeof site_attention.bytes);
  keep_planned_sites_loud();
  set_window(watched && settings.window_ms != 0);
  choose_attention();
}

[[noreturn]] void refuse_file(const char* variable, const char* path) noexcept {
  std::fprintf(stderr, "racelab: %s: %s: %s\n", variable, path, std::strerror(errno));
  _exit(2);
}

void open_files() noexcept {
  if (settings.log != nullptr && !open_log(settings.log)) refuse_file("RACELAB_WATCH_LOG", settings.log);
  if (settings.sites != nullptr && !open_sites(settings.sites))
    refuse_file("RACELAB_WATCH_SITES", settings.sites);
  if (settings.events != nullptr && !open_events(settings.events))
    refuse_file("RACELAB_WATCH_EVENTS", settings.events);
  if (settings.plan != nullptr) read_plan(settings.plan);
}

// Whoever aims needs to know at any time what is loaded where, not only when something has been caught.
bool somebody_aims() noexcept {
  return settings.plan != nullptr || settings.sites != nullptr || settings.events != nullptr;
}

void modules_have_changed() noexcept {
  if (!somebody_aims()) return;
  const bool before = mine.inside;
  mine.inside = true;
  if (settings.plan != nullptr) find_planned_sites();
  write_modules();
  mine.inside = before;
}

// The child of a fork has none of its parent's stalled threads, however it was forked (not every way runs
// pthread_atfork's handlers): their watchpoints would stand for nothing.
void forget_stalled_in_children() noexcept {
  madvise(&watchpoints, sizeof watchpoints, MADV_WIPEONFORK);
  pthread_atfork(nullptr, nullptr, [] {
    watchpoints.clear();
    choose_attention();
    forget_pacemaker();
  });
}

}  // namespace

void initialise() noexcept {
  // Each instrumented module calls, also one that has just been opened.
  if (initialised.load(std::memory_order_relaxed)) {
    modules_have_changed();
    return;
  }
  settings = options_from_environment();
  open_files();
  stacks::prepare_capture();
  choose_signals();
  forget_stalled_in_children();
  begin_attention();
  modules_have_changed();
  follow_locks();
  initialised.store(true, std::memory_order_relaxed);
}

void set_decide(decide_function function) noexcept {
  decide.store(function, std::memory_order_relaxed);
  choose_attention();
}

void set_on_record(record_function handler) noexcept { set_record_handler(handler); }

counters totals() noexcept {
  return {.stalls = counts.stalls.load(std::memory_order_relaxed),
          .pairs = counts.pairs.load(std::memory_order_relaxed),
          .changed = counts.changed.load(std::memory_order_relaxed),
          .dropped = counts.dropped.load(std::memory_order_relaxed)};
}

std::uint32_t stalled_now() noexcept { return watchpoints.stalled(); }

void reset() noexcept {
  sites.clear();
  forget_records();
  for (auto* counter : {&counts.stalls, &counts.pairs, &counts.changed, &counts.dropped})
    counter->store(0, std::memory_order_relaxed);
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

[[gnu::destructor(103)]] void write_last_modules() {
  if (somebody_aims()) write_modules();
}

}  // namespace

}  // namespace racelab::watch
