// Immutable snapshots that writers publish by compare-and-swap, tried again until it succeeds: no lock at all.
//
// Thread safety
//   Any thread may call any operation at any time. Nobody waits for a lock: when a writer fails, another one has
//   succeeded (lock-free). A single writer may be overtaken again and again (not wait-free).
//
// Invariants
//   1. A published table never changes.
//   2. A write takes effect at its successful compare-and-swap, which proves that the table it was made of was the
//      current one until then. One that fails has done nothing and is made again of the new table; it is never skipped
//      (a delete that skips keeps its key: corrupt_skipped_swap).
//   3. The table that a write was made of is protected from before its copy until after the compare-and-swap, so that
//      no newer one can have its address (ABA).
//   4. No lock is held while `visit` runs: it may call this map. It walks one snapshot, and does not see later writes.
//
// Reclamation
//   A hazard pointer keeps the snapshot that a lookup or a write is in, a reference count those that for_each() and
//   snapshot() hold. All others are freed by the writer who replaces them. One that somebody was just in stays until
//   the next write, or reclaim().
//
// Cost
//   Lookups as in copy_on_write_map. A write copies every entry, and once more each time that it is overtaken: retries()
//   counts. After each failure it lets the others go first, twice as long as the time before, up to a bound.
//
// When not to use it
//   Several writers most of the time: they throw most of their copies away, where copy_on_write_map's queue and make
//   one each. Keys or values whose copies have effects: a write may make any number of them.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <thread>
#include <utility>

#include "fixes/support/snapshot_map.hpp"
#include "fixes/support/whole_table.hpp"

namespace racelab {

/// Writers that do not wait for each other: the first to publish wins, the others make their tables again.
class competing_writers {
 public:
  /// Publishes the table that step(current table) returns; false if that is nothing.
  template <class Cell, class Step> bool update(Cell& cell, Step step) {
    for (back_off before_next;; before_next()) {
      const auto now = cell.read();
      auto next = step(*now);
      if (!next) return false;
      auto draft = cell.make(std::move(*next));
      if (cell.compare_publish(now, draft)) return true;
      retries_.fetch_add(1, std::memory_order_relaxed);  // a count, which orders nothing
    }
  }

  [[nodiscard]] std::uint64_t retries() const noexcept { return retries_.load(std::memory_order_relaxed); }

 private:
  /// Gives the processor away: once, then twice, then four times … but never more than 64 times.
  class back_off {
   public:
    void operator()() {
      for (int i = 0; i < turns_; ++i) std::this_thread::yield();
      turns_ = std::min(2 * turns_, most_turns);
    }

   private:
    static constexpr int most_turns = 64;
    int turns_ = 1;
  };

  std::atomic<std::uint64_t> retries_{0};
};

template <class Key, class Value, class Hash = std::hash<Key>, class Equal = std::equal_to<Key>>
using cas_snapshot_map = snapshot_map<whole_table<Key, Value, Hash, Equal>, competing_writers>;

}  // namespace racelab
