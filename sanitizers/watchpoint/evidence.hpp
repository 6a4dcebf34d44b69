// The layout of the files that a watched program leaves for whoever asked for them: the sites that it visited
// (RACELAB_WATCH_SITES) and what happened at the observed ones (RACELAB_WATCH_EVENTS). Shared file mappings, so they
// are right however the process ends. x86-64: little-endian. A pc is an absolute return address; the log's `modules`
// records say what was loaded where.
#pragma once

#include <atomic>
#include <cstdint>

namespace racelab::watch {

inline constexpr char evidence_magic[8] = {'r', 'a', 'c', 'e', 'l', 'a', 'b', '1'};

/// At the start of each file; the entries follow it.
struct alignas(64) evidence_header {
  char magic[8];                       // evidence_magic
  std::uint64_t entry_size;            // bytes
  std::uint64_t capacity;              // entries
  std::atomic<std::uint64_t> used;     // entries begun; may pass the capacity
  std::atomic<std::uint64_t> dropped;  // what there was no room for
};
static_assert(sizeof(evidence_header) == 64 && std::atomic<std::uint64_t>::is_always_lock_free);

/// An instrumented access, a fence (of 0 bytes), a call of an intercepted function or a free. One without a pc is not filled.
/// `atomic` is 0, or 1 + the memory order that was asked for, __ATOMIC_RELAXED (0) to __ATOMIC_SEQ_CST (5).
struct site_entry {
  std::uint64_t pc;
  std::uint64_t visits;  // looks at it
  std::uint32_t size;    // bytes; the most that were seen
  std::uint8_t write;
  std::uint8_t atomic;
  std::uint8_t release;  // a free
  std::uint8_t threads;  // that were seen there: 1, or 2 for more
};
static_assert(sizeof(site_entry) == 24);
inline constexpr std::uint64_t most_site_entries = 32768;

enum class event_kind : std::uint8_t {
  visit,        // the thread has come to the site
  stall_began,  // a rule stalls it
  stall_ended,  // the access follows
  hit,          // this access came to the bytes of a stalled thread
};

/// One without a time is not filled: the process ended meanwhile, or goes on. `atomic` is as in a site's.
struct event_entry {
  std::uint64_t time_ns;  // CLOCK_MONOTONIC; stored last
  std::uint64_t pc;
  std::uint64_t address;
  std::uint64_t value;  // of the bytes before the access, as an integer of their size; 0 above 8 bytes
  std::uint32_t size;
  std::uint32_t thread;
  std::uint32_t visit;       // of this site by this thread, counted from 0
  std::uint32_t stalled_us;  // the stall that a rule asked for; 0 without one
  std::uint8_t write;
  std::uint8_t atomic;
  std::uint8_t release;
  event_kind kind;
  std::uint32_t process;  // the pid: a fork's child goes on in its parent's file
};
static_assert(sizeof(event_entry) == 56);
inline constexpr std::uint64_t most_event_entries = 1'048'576;

}  // namespace racelab::watch
