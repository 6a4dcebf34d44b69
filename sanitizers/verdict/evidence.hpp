// Evidence: what a run under the watchpoint runtime leaves in its files (docs/watchpoint.md), with places instead of
// addresses of code.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sanitizers/verdict/places.hpp"

namespace racelab::verdict {

enum class touch : std::uint8_t { read, write, free };

[[nodiscard]] std::string_view name(touch what) noexcept;

/// A thread at an access.
struct party {
  unsigned thread = 0;
  touch access = touch::read;
  bool atomic = false;
  std::uint64_t address = 0;
  std::uint64_t size = 0;   // bytes
  std::uint64_t visit = 0;  // earlier visits of its site, by all threads
  place pc;
  std::vector<place> stack;       // innermost first
  std::vector<place> created_by;  // where its thread was created
};

/// Who changed a value under a stall, as the processor's breakpoints tell.
struct unseen_writes {
  struct write {
    place pc;             // in the instruction
    bool atomic = false;  // it has a lock prefix, or is an xchg
  };
  bool watched = false;       // every other thread was
  bool mapped_twice = false;  // the bytes have another address in this process
  std::vector<write> by;
};

/// Two threads at the same bytes at the same time, or a value that changed under a stall without anybody having been seen
/// (`came` is empty).
struct caught_pair {
  party stalled;
  std::optional<party> came;
  std::uint64_t value_before = 0;
  std::uint64_t value_after = 0;
  std::optional<unseen_writes> writes;  // of a change, where the plan asked for them
};

struct thread_stack {
  unsigned thread = 0;
  std::vector<place> stack;
  std::vector<place> created_by;
};

/// Where all other threads were at the end of a stall in which nobody came.
struct bystanders {
  party stalled;
  std::vector<thread_stack> threads;
};

/// Threads each of which waits for a lock that the next one holds.
struct deadlock {
  struct waiter {
    thread_stack where;
    std::string waits_for;
    std::vector<std::string> holds;
  };
  std::vector<waiter> waiters;
};

/// A lock that was taken while others were held.
struct nested_lock {
  thread_stack where;
  std::string mutex;
  std::vector<std::string> held;
  std::set<unsigned> alive;  // the threads that there were then
};

/// A site that was visited while the program had threads.
struct visited_site {
  place pc;
  std::uint64_t visits = 0;
  unsigned size = 0;
  touch access = touch::read;
  bool atomic = false;
  bool several_threads = false;

  [[nodiscard]] bool is_fence() const noexcept { return atomic && size == 0; }
};

/// What happened at a site that a plan observes.
struct event {
  enum class kind : std::uint8_t { visit, stall_began, stall_ended, hit };
  kind what = kind::visit;
  touch access = touch::read;
  bool atomic = false;
  std::memory_order order = std::memory_order_relaxed;  // that was asked for, of an atomic one
  unsigned thread = 0;
  unsigned visit = 0;  // of this site by this thread
  unsigned size = 0;
  std::uint64_t time_ns = 0;
  std::uint64_t address = 0;
  std::uint64_t value = 0;  // of the bytes before the access, of up to 8
  place pc;

  [[nodiscard]] bool is_fence() const noexcept { return atomic && size == 0; }
};

/// All that a run left.
struct evidence {
  std::vector<caught_pair> caught;
  std::vector<bystanders> others;
  std::vector<deadlock> deadlocks;
  std::vector<nested_lock> nested_locks;
  std::vector<visited_site> sites;
  std::vector<event> events;  // in the order of time
  std::size_t unread = 0;     // lines of the log that are none of its kinds
};

struct evidence_files {
  std::filesystem::path log;
  std::filesystem::path sites;   // empty: not asked for
  std::filesystem::path events;  // empty: not asked for
};

/// Reads what is there: a file that the program did not write, or not to its end, gives what it has. Throws
/// std::system_error for one that can't be read.
[[nodiscard]] evidence read_evidence(const evidence_files& files, module_table& modules);

}  // namespace racelab::verdict
