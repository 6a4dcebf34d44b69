// State that the parts of the runtime share.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "sanitizers/watchpoint/options.hpp"
#include "sanitizers/watchpoint/plan.hpp"
#include "sanitizers/watchpoint/sites.hpp"
#include "sanitizers/watchpoint/watchpoints.hpp"

namespace racelab::watch {

extern constinit options settings;
extern constinit site_table sites;
extern constinit watchpoint_table watchpoints;
extern constinit plan the_plan;

/// The counters of totals(). Relaxed.
struct live_counters {
  std::atomic<std::uint64_t> stalls{0};
  std::atomic<std::uint64_t> pairs{0};
  std::atomic<std::uint64_t> changed{0};
  std::atomic<std::uint64_t> dropped{0};
};
extern constinit live_counters counts;

/// What the runtime knows of a thread. Trivial, so that reading it never runs a constructor.
struct thread_state {
  bool inside;               // in the runtime: a signal handler's accesses, and our own, pass
  bool prepared;             // seeded, timer slack set
  bool cancellation_is_off;  // until this look's end
  int cancel_state;          // what it was before
  int cancel_type;
  int error;  // the program's errno while inside
  std::uint64_t random;
  std::uint32_t entries;  // of functions, as far as they count for a plan's `enter`
  std::uint32_t skip;     // looks until the next stall beyond a site's first visits
  std::array<std::uint32_t, plan::most_sites> visits;  // of the plan's sites
};
extern constinit thread_local thread_state mine __attribute__((tls_model("initial-exec")));

/// Before the calling thread's first random choice.
void prepare_thread() noexcept;

/// The site asks for no closer look any more, unless the plan names it.
void quieten(std::uintptr_t pc) noexcept;

/// Chooses between the two attention tables. Two threads may do this at once and the one that saw less may store
/// last: that misses a chance.
void choose_attention() noexcept;

[[nodiscard]] std::uint64_t now_ns() noexcept;

/// Until the end of this look the thread can't be cancelled: the runtime makes calls that are cancellation points, and
/// an asynchronous cancellation would leave a watchpoint that stands for nothing.
void put_off_cancellation() noexcept;

}  // namespace racelab::watch
