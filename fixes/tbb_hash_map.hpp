// oneTBB's concurrent_hash_map: a lock for each bucket and each entry, and one more for what it can't do beside others.
// library: oneTBB
// needs: oneapi/tbb/concurrent_hash_map.h
// links: tbb
//
// Thread safety
//   Any thread may call any operation at any time. Operations on one key exclude each other, readers among themselves
//   not; for_each(), clear(), size() and the copy exclude all.
//
// What the library can't give
//   Its iterators, clear() and copy must not run beside an insert or an erase, and its size() counts an entry some time
//   after it can be found. That is why mutex_ is here: shared for operations on one key, exclusive for these. A program
//   that walks its map only while it is quiet uses tbb::concurrent_hash_map itself, without that lock.
//   compare-and-erase is no operation of its own: the accessor, a lock on the entry, is held from == to erase().
//
// Invariants
//   1. entries_ is used by one-key operations with mutex_ held shared, by all others with it held exclusively.
//   2. An entry is erased through an accessor only, so whoever has an accessor has an entry that is in the map.
//   3. Values are copied while the accessor is held.
//
// Reclamation
//   The library frees an entry in erase(): nobody can find it any more, and whoever had found it has let it go.
//
// Exceptions
//   A key's hash, ==, copy, the allocator: the map is as it was, but the library loses the memory of a new entry when
//   the hash or == throws (oneTBB 2021.8). If a value's assignment throws, the value is what that left of it.
//
// Cost
//   Three locks for each operation: mutex_, the bucket's, the entry's. The first is one cache line that all threads
//   write, which is what limits them; the library's own are spread over the map. Memory of a node for each entry.
//
// When not to use it
//   Keys that everybody reads: a read writes three lock words. Walks of a busy map: a snapshot serves them.
#pragma once

#include <oneapi/tbb/concurrent_hash_map.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "sanitizers/annotations/annotated_mutex.hpp"

namespace racelab {

template <class Key, class Value, class Hash = std::hash<Key>, class Equal = std::equal_to<Key>>
class tbb_hash_map {
 public:
  static constexpr const char* weaker_exceptions =
      "oneTBB loses a new entry's memory when the hash or == throws";
  using key_type = Key;
  using mapped_type = Value;

  tbb_hash_map() = default;
  /// A copy of what was there at one moment.
  tbb_hash_map(const tbb_hash_map& other) : entries_(other.copied()) {}
  tbb_hash_map(tbb_hash_map&&) = delete;
  tbb_hash_map& operator=(const tbb_hash_map&) = delete;
  tbb_hash_map& operator=(tbb_hash_map&&) = delete;
  ~tbb_hash_map() = default;

  [[nodiscard]] std::optional<Value> find(const Key& key) const {
    const reader_lock lock(mutex_);
    typename table::const_accessor found;
    if (!entries_.find(found, key)) return std::nullopt;
    return found->second;
  }

  /// True if `key` was not there and is now.
  bool insert(const Key& key, const Value& value) {
    const reader_lock lock(mutex_);
    return entries_.emplace(key, value);
  }

  void insert_or_assign(const Key& key, const Value& value) {
    const reader_lock lock(mutex_);
    typename table::accessor found;
    if (!entries_.emplace(found, key, value)) found->second = value;
  }

  /// The value that was removed, if any.
  std::optional<Value> erase(const Key& key) {
    const reader_lock lock(mutex_);
    typename table::accessor found;
    // All returns name it, so that g++, too, makes it in its place: a copy after the deletion could throw.
    std::optional<Value> removed;
    if (!entries_.find(found, key)) return removed;
    removed.emplace(std::move_if_noexcept(found->second));  // if it throws, the key is still there
    entries_.erase(found);
    return removed;
  }

  /// Removes `key` only if it has this value; true if it did.
  bool erase_if_equal(const Key& key, const Value& value) {
    const reader_lock lock(mutex_);
    typename table::accessor found;
    return entries_.find(found, key) && found->second == value && entries_.erase(found);
  }

  /// Calls visit(key, value) for every entry, while everybody else waits: `visit` must not call this map.
  template <class Visit> void for_each(Visit visit) const {
    const mutex_lock lock(mutex_);
    for (const auto& [key, value] : entries_) visit(key, value);
  }

  void clear() {
    table removed;  // destroyed after the lock is released
    const mutex_lock lock(mutex_);
    entries_.swap(removed);
  }

  [[nodiscard]] std::size_t size() const {
    const mutex_lock lock(mutex_);
    return entries_.size();
  }

 private:
  struct hash_compare {
    std::size_t hash(const Key& key) const { return Hash()(key); }
    bool equal(const Key& one, const Key& other) const { return Equal()(one, other); }
  };
  // std::allocator: the default one calls into the library, whose code no sanitizer has instrumented.
  using table =
      oneapi::tbb::concurrent_hash_map<Key, Value, hash_compare, std::allocator<std::pair<const Key, Value>>>;

  table copied() const {
    const mutex_lock lock(mutex_);
    return entries_;
  }

  mutable annotated_shared_mutex mutex_;
  table entries_ RACELAB_GUARDED_BY(mutex_);
};

}  // namespace racelab
