// 256 tables without nodes, each with a mutex: an entry costs no allocation, and a copy locks one shard at a time.
// needs: boost/unordered/unordered_flat_map.hpp
//
// A key's hash, mixed, chooses its shard. More shards than threads make it rare that one waits for another that has lost the
// processor; a table that keeps its entries in one array spares writers the allocator.
//
// Thread safety
//   Any thread may call any operation at any time. Operations on one shard exclude each other, readers too; those on
//   different shards don't meet. Copies and size() keep all writers waiting, and no reader. Hash, ==, copies and the `visit`
//   of for_each() run under the lock of a shard: none of them may call this map.
//
// Invariants
//   1. A key is only ever in the shard that its hash leads to. Entries are touched only under their shard's lock.
//   2. closed_ is set and cleared under closing_, and set before the first shard is locked. Who comes to change a shard
//      looks at it under the shard's lock. So a shard that was locked since closed_ was set changes no more until it is
//      cleared, and when the last one has been locked, all are as they are at that moment.
//   3. Nobody waits for closing_ while holding a shard. Whoever holds closing_ locks one shard at a time, so a copy needs
//      no more than two locks at once; a sanitizer can follow that, which it can't 256 (clang's 128, g++ 12's 64).
//
// Reclamation
//   None is needed: entries lie in the tables, and are looked at under their shard's lock only. What clear() removes is
//   destroyed after the lock is released.
//
// Cost
//   A lock, and the hash twice: for the shard and for its table. Entries move when their table grows, which happens to one
//   shard at a time. 32 KiB of locks and headers in an empty map. A table never shrinks but by clear().
//
// When not to use it
//   One hot key, or reads that outnumber all else: a snapshot lets them share. Big values: growth moves them.
#pragma once

#include <array>
#include <atomic>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "fixes/support/mixed_hash.hpp"
#include "fixes/support/table_steps.hpp"
#include "sanitizers/annotations/annotated_mutex.hpp"

namespace racelab {

template <class Key, class Value, class Hash = std::hash<Key>, class Equal = std::equal_to<Key>>
// NOLINTNEXTLINE(cppcoreguidelines-special-member-functions): a move is a copy
class flat_shards_map {
 public:
  using key_type = Key;
  using mapped_type = Value;

  flat_shards_map() : shards_(new shards()) {}
  /// A copy of what was there at one moment.
  flat_shards_map(const flat_shards_map& other) : flat_shards_map() { copy_from(other); }
  flat_shards_map& operator=(const flat_shards_map&) = delete;
  ~flat_shards_map() = default;

  [[nodiscard]] std::optional<Value> find(const Key& key) const {
    const shard& one = shard_of(key);
    const mutex_lock lock(one.mutex);
    return detail::value_in(one.entries, key);
  }

  /// True if `key` was not there and is now.
  bool insert(const Key& key, const Value& value) {
    return change(shard_of(key), [&](table& entries) {
      make_room(entries);
      return entries.try_emplace(key, value).second;
    });
  }

  /// Where a value is replaced, its own assignment decides what an exception leaves of it.
  void insert_or_assign(const Key& key, const Value& value) {
    Value stored(value);  // if this throws, nothing has changed
    change(shard_of(key), [&](table& entries) {
      make_room(entries);
      detail::store_in(entries, key, std::move(stored));
    });
  }

  /// The value that was removed, if any.
  std::optional<Value> erase(const Key& key) {
    std::optional<Value> removed;
    change(shard_of(key), [&](table& entries) { return detail::take_from(entries, key, removed); });
    return removed;
  }

  /// Removes `key` only if it has this value; true if it did.
  bool erase_if_equal(const Key& key, const Value& value) {
    return change(shard_of(key), [&](table& entries) { return detail::erase_equal_in(entries, key, value); });
  }

  /// Calls visit(key, value) for the entries of one shard after the other, under its lock: each shard is seen as it was at
  /// one moment.
  template <class Visit> void for_each(Visit visit) const {
    for (const shard& one : *shards_) {
      const mutex_lock lock(one.mutex);
      for (const auto& [key, value] : one.entries) visit(key, value);
    }
  }

  /// Shard by shard.
  void clear() {
    for (shard& one : *shards_) {
      table removed;
      change(one, [&removed](table& entries) { removed.swap(entries); });
    }
  }

  [[nodiscard]] std::size_t size() const {
    std::size_t count = 0;
    at_one_moment([&count](std::size_t, const table& entries) { count += entries.size(); });
    return count;
  }

 private:
  using table = boost::unordered_flat_map<Key, Value, Hash, Equal>;
  static constexpr unsigned shard_bits = 8;

  /// Alone on its cache lines.
  struct alignas(64) shard {
    mutable annotated_mutex mutex;
    table entries RACELAB_GUARDED_BY(mutex);
  };
  using shards = std::array<shard, std::size_t{1} << shard_bits>;

  static std::size_t index(const Key& key) { return mixed_hash(Hash()(key)) >> (64 - shard_bits); }
  shard& shard_of(const Key& key) { return (*shards_)[index(key)]; }
  const shard& shard_of(const Key& key) const { return (*shards_)[index(key)]; }

  /// For one more entry. The library moves entries as it grows, and loses those that were moved when the hash of the next
  /// one throws. Where a hash may do that, entries are copied before.
  static void make_room(table& entries) {
    if constexpr (!noexcept(std::declval<const Hash&>()(std::declval<const Key&>()))) {
      if (entries.size() < entries.max_load()) return;
      table larger;
      larger.reserve(entries.size() + entries.size() / 2 + 1);
      for (const auto& entry : entries) larger.insert(entry);
      larger.swap(entries);
    }
  }

  /// use(entries of `one`), under its lock, once nobody counts or copies the map.
  template <class Use> auto change(shard& one, Use use) {
    {
      const mutex_lock lock(one.mutex);
      // Relaxed: who set it has locked this shard since, or will find what is changed here.
      if (!closed_.load(std::memory_order_relaxed)) return use(one.entries);
    }
    const mutex_lock keeping_open(closing_);
    const mutex_lock lock(one.mutex);
    return use(one.entries);
  }

  /// use(index, entries) for every shard, all of them as they are at the moment when the last one is locked.
  template <class Use> void at_one_moment(Use use) const {
    const mutex_lock closing(closing_);
    const closed_to_writers closed(closed_);
    for (std::size_t i = 0; i < shards_->size(); ++i) {
      const shard& one = (*shards_)[i];
      const mutex_lock lock(one.mutex);
      use(i, one.entries);
    }
  }

  class closed_to_writers {
   public:
    explicit closed_to_writers(std::atomic<bool>& closed) : closed_(closed) {
      closed_.store(true, std::memory_order_relaxed);  // published by the shards' locks, one by one
    }
    ~closed_to_writers() { closed_.store(false, std::memory_order_relaxed); }
    closed_to_writers(const closed_to_writers&) = delete;
    closed_to_writers& operator=(const closed_to_writers&) = delete;

   private:
    std::atomic<bool>& closed_;
  };

  void copy_from(const flat_shards_map& other) RACELAB_UNCHECKED_LOCKING {  // nobody else knows this map yet
    other.at_one_moment([this](std::size_t i, const table& entries)
                            RACELAB_UNCHECKED_LOCKING { (*shards_)[i].entries = entries; });
  }

  std::unique_ptr<shards> shards_;  // constant after construction
  mutable std::atomic<bool> closed_{false};
  mutable annotated_mutex closing_;
};

}  // namespace racelab
