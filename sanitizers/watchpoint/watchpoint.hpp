// The watchpoint runtime: catches two threads at one address at one time.
//
// It stands behind clang's and gcc's -fsanitize=thread instrumentation in the place of LLVM's runtime. Before
// an access it may stall the thread for a random short time, leaving a soft watchpoint that says which bytes
// the thread is about to touch. Another thread that comes to the same bytes meanwhile proves a data race: an
// order between the two accesses can't exist, because both were pending at once. There is no happens-before
// bookkeeping and no shadow memory, so there is nothing to be confused by synchronisation that it can't see.
//
// Sources of the design: Linux's KCSAN (soft watchpoints, randomised delay and skip count, a hit consumed by
// compare-and-swap, atomics check but never set), Microsoft's DataCollider (delays blind to synchronisation)
// and TSVD (delays spent where they were not spent before).
//
// What it never reports: two reads, two atomics, one thread with itself. What it can't catch: accesses that
// are ordered in this run, and races by memory order alone, whose accesses never overlap.
//
// Records are JSON, one object a line, described in docs/watchpoint.md.
#pragma once

#include <cstddef>
#include <cstdint>

#include "stacks/capture.hpp"

namespace racelab::watch {

/// What a thread is about to do to memory.
struct access {
  std::uintptr_t address = 0;
  std::size_t size = 0;  // bytes
  bool write = false;
  bool atomic = false;
  bool release = false;  // the bytes are being freed (a write of the whole block)
  std::uint8_t order =
      0;  // of an atomic one: what was asked for, __ATOMIC_RELAXED (0) to __ATOMIC_SEQ_CST (5)
  std::uintptr_t pc = 0;  // return address of the instrumentation's call

  /// Of the thread, not of any bytes.
  [[nodiscard]] constexpr bool is_fence() const noexcept { return atomic && size == 0; }
};

/// True if `a` and `b`, made by different threads without an order, are a data race: they overlap, one of
/// them writes, and not both are atomic.
[[nodiscard]] constexpr bool conflict(const access& a, const access& b) noexcept {
  return a.address < b.address + b.size && b.address < a.address + a.size && (a.write || b.write) &&
         !(a.atomic && b.atomic);
}

/// One side of a caught pair.
struct side {
  access what;
  std::uint32_t thread =
      0;  // the number of stacks::thread_record; 0: a thread at its very end, or one of too many
  std::uint32_t visit = 0;  // how many times its site had been looked at before (the stalled side only)
  std::int32_t rule = -1;   // which rule of the plan stalled it, counted from 0; -1: none
  stacks::raw_trace stack;
  stacks::raw_trace created_by;
};

/// Who wrote while a thread was stalled, as far as the processor's breakpoints tell.
struct writers {
  struct writer {
    std::uintptr_t after = 0;  // the address of the instruction after the one that wrote
    bool atomic = false;       // that one has a lock prefix, or is an xchg
  };
  static constexpr std::size_t most = 8;

  bool asked = false;         // the stall wanted to know
  bool watched = false;       // each other thread had a breakpoint
  bool mapped_twice = false;  // the bytes have another address in this process
  std::size_t count = 0;
  writer all[most]{};

  /// Once for each instruction.
  void add(std::uintptr_t after, bool atomic) noexcept {
    for (std::size_t i = 0; i < count; ++i)
      if (all[i].after == after) return;
    if (count != most) all[count++] = {.after = after, .atomic = atomic};
  }
};

/// A record. `pair`: `stalled` was waiting before its access when `came` arrived. `changed`: the bytes
/// changed under a stall and nobody was seen, mostly because the writer's code is not instrumented; `came` is
/// empty. Only for accesses of at most 8 bytes.
struct record {
  enum class kind : std::uint8_t { pair, changed };
  kind what = kind::pair;
  side stalled;
  side came;
  std::uint64_t value_before = 0;  // of the stalled side's bytes as an integer of their size; 0 above 8 bytes
  std::uint64_t value_after = 0;   // known only for `changed`
  writers by;                      // of `changed`, where the stall asked for them
};

/// What to do before an access.
struct stall {
  std::uint32_t microseconds = 0;     // at most; 0: go on at once
  std::uint32_t looks = 0x7fff'ffff;  // end it earlier when the other threads have made so many accesses
  bool until_hit = false;             // end it as soon as another thread comes to these bytes …
  std::uint32_t linger = 0;           // … and so many microseconds have passed after that
  bool others = false;                // if it ends by time, log the stacks of all other threads
  bool writers = false;               // by the processor's breakpoints, watch who writes
  std::int32_t rule = -1;             // which rule of the plan says so; -1: none
};

/// Decides about a stall in the place of the built-in policy, whatever RACELAB_PERTURB says, at every plain
/// access and every free once the program has had a second thread. `visit` counts the earlier visits of this
/// site (by all threads). Called on the accessing thread; what it accesses itself is not watched. Null
/// restores the policy.
using decide_function = stall (*)(const access&, std::uint32_t visit);
void set_decide(decide_function decide) noexcept;

/// Receives each record on the thread that caught it, in addition to the log. Null: none.
using record_function = void (*)(const record&);
void set_on_record(record_function handler) noexcept;

/// Counters since the start of the process, or since reset().
struct counters {
  std::uint64_t stalls = 0;
  std::uint64_t pairs = 0;  // hits, also those whose pair of sites was recorded before
  std::uint64_t changed = 0;
  std::uint64_t dropped = 0;  // stalls without a watchpoint because the table was full
};
[[nodiscard]] counters totals() noexcept;

/// How many threads are stalled now: whoever makes an access after having seen it is compared with them.
[[nodiscard]] std::uint32_t stalled_now() noexcept;

/// Forgets sites, recorded pairs and counters: every site is fresh again. For tests, while no other thread runs
/// instrumented code.
void reset() noexcept;

}  // namespace racelab::watch
