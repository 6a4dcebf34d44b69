#include "sanitizers/watchpoint/policy.hpp"

#include <sched.h>

#include "sanitizers/watchpoint/perturb.hpp"
#include "sanitizers/watchpoint/random.hpp"
#include "sanitizers/watchpoint/runtime.hpp"
#include "sanitizers/watchpoint/stall.hpp"
#include "sanitizers/watchpoint/state.hpp"

namespace racelab::watch {
namespace {

constinit std::atomic<bool> window_open{true};

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
  if (turn == 0) turn = settings.window_ms;
  if (now < turn) return;
  const bool open = !window_open.load(std::memory_order_relaxed);
  window_open.store(open, std::memory_order_relaxed);
  if (!open) gap = gap == 0 ? settings.window_ms : 2 * gap;
  turn = now + (open ? settings.window_ms : gap);
  choose_attention();
}

// The built-in policy. A site's first visits are stalled at even odds, and more of them where a stall has
// caught somebody; in a window each thread also stalls at one in so many of its looks.
stall choose(const access& what, site& where) noexcept {
  const std::uint32_t chances = settings.first_visits + where.earned.load(std::memory_order_relaxed);
  const std::uint32_t used = where.chances.load(std::memory_order_relaxed);
  if (used + 1 >= chances) quieten(what.pc);
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

}  // namespace

bool window_is_open() noexcept { return window_open.load(std::memory_order_relaxed); }

void set_window(bool open) noexcept { window_open.store(open, std::memory_order_relaxed); }

void stall_by_policy(const access& what) noexcept {
  prepare_thread();
  if (stacks::live_threads() < 2 || on_own_stack(what.address)) return;
  if (settings.window_ms != 0) start_pacemaker(tick);
  site* where = sites.find_or_insert(what.pc);
  if (where == nullptr) {  // the table is full: this one is not looked at again
    quieten(what.pc);
    return;
  }
  const std::uint32_t visit = where->visits.fetch_add(1, std::memory_order_relaxed);
  const stall how = choose(what, *where);
  if (how.microseconds == 0) return;
  hand_over();
  stall_before(what, visit, how);
}

void yield_by_policy() noexcept {
  prepare_thread();
  if (next_random(mine.random) % 8 == 0) sched_yield();
}

}  // namespace racelab::watch
