// Lock-free reads, and locked writes in the right order, each of which copies only what has changed lately.
//
// Each snapshot has two layers: a large table that many snapshots share, and the changes since that was made, deleted
// keys among them. A write copies the changes and adds its own. Once there are more of them than the square root of the
// table's entries (and than 16), it makes a new table of both. That is the difference to copy_on_write_map, which copies
// every entry for each write.
//
// Thread safety
//   Any thread may call any operation at any time. Readers wait for nobody; writers wait for each other.
//
// Invariants
//   1. Neither layer changes once it is published, and both are published together.
//   2. A writer, alone under the writers' lock, builds the next snapshot, publishes it and then retires the old one, in
//      this order. (A cache that clears the old one first has readers in freed entries: crash_clear_before_publish.)
//   3. A key that is among the changes is looked up there and nowhere else. A key is marked as deleted only if the
//      shared table has it.
//   4. No lock is held while `visit` runs: it may call this map. It walks one snapshot, and does not see later writes.
//      A key's or value's copy and its == run under the writers' lock when a writer calls them: they may read this
//      map, not change it.
//
// Reclamation
//   A hazard pointer keeps the snapshot that a lookup is in, a reference count those that for_each() and snapshot()
//   hold. All others are freed by the writer who replaces them, after its lock is released. One that a lookup was just
//   in stays until the next write, or reclaim(). The shared table is freed with the last snapshot that has it. A deleted
//   or replaced entry stays in it until the next table is made: as many of them as there may be changes. The mark of a
//   deleted key takes the room of a value.
//
// Cost
//   A lookup announces its snapshot (one store that the processor has to finish first) and looks into both layers. A
//   write copies up to the square root of n changes, and once in as many writes every entry: O(sqrt n) amortised.
//   erase_all() deletes any number of keys with one copy and one publication.
//
// When not to use it
//   Small maps, or next to no writes: copy_on_write_map looks into one layer only. A bound on the time of each single
//   write: one in sqrt n copies everything.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>

#include "fixes/support/serialised_writers.hpp"
#include "fixes/support/snapshot_map.hpp"

namespace racelab {

template <class Key, class Value, class Hash, class Equal> class layered_table {
 public:
  using key_type = Key;
  using mapped_type = Value;

  [[nodiscard]] const Value* find(const Key& key) const {
    if (!changes_.empty()) {
      if (const auto at = changes_.find(key); at != changes_.end())
        return at->second ? &*at->second : nullptr;
    }
    const auto at = shared_->find(key);
    return at == shared_->end() ? nullptr : &at->second;
  }

  template <class Visit> void for_each(Visit& visit) const {
    for (const auto& [key, value] : *shared_)
      if (!changes_.contains(key)) visit(key, value);
    for (const auto& [key, value] : changes_)
      if (value) visit(key, *value);
  }

  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  void put(const Key& key, const Value& value) {
    if (find(key) == nullptr) ++size_;
    changes_.insert_or_assign(key, std::optional<Value>(value));
  }

  bool remove(const Key& key) {
    if (find(key) == nullptr) return false;
    if (shared_->contains(key))
      changes_.insert_or_assign(key, std::nullopt);
    else
      changes_.erase(key);
    --size_;
    return true;
  }

  /// Makes one table of both layers if the changes have become many.
  void settle() {
    if (changes_.size() <= few_changes || changes_.size() * changes_.size() <= shared_->size()) return;
    const auto merged = std::make_shared<table>();
    merged->reserve(size_);
    const auto add = [&](const Key& key, const Value& value) { merged->emplace(key, value); };
    for_each(add);
    shared_ = merged;
    changes_ = {};
  }

 private:
  using table = std::unordered_map<Key, Value, Hash, Equal>;

  static constexpr std::size_t few_changes = 16;

  std::shared_ptr<const table> shared_ = std::make_shared<const table>();
  std::unordered_map<Key, std::optional<Value>, Hash, Equal> changes_;  // nothing: deleted since
  std::size_t size_ = 0;
};

template <class Key, class Value, class Hash = std::hash<Key>, class Equal = std::equal_to<Key>>
using hybrid_map =
    snapshot_map<layered_table<Key, Value, Hash, Equal>, serialised_writers, barrier_by::reader>;

}  // namespace racelab
