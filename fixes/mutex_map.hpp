// One lock around everything: the baseline that every other remedy has to beat.
//
// Thread safety
//   Any thread may call any operation at any time. Operations exclude each other, readers too.
//
// Invariants
//   1. entries_ is touched only while mutex_ is held.
//   2. Nothing of entries_ leaves by reference: values are copied under the lock. The one exception is `visit` in
//      for_each(), which runs under the lock and so must not call the map.
//
// Reclamation
//   None is needed: nobody looks at an entry without the lock, so erase() frees it at once. What clear() removes is
//   destroyed after the lock is released.
//
// Cost
//   An uncontended lock and unlock for each operation. Threads queue: throughput does not grow with their number.
//
// When not to use it
//   Many readers at once, long walks by for_each(), or a visitor that needs the map: a snapshot serves these.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <unordered_map>
#include <utility>

#include "sanitizers/annotations/annotated_mutex.hpp"

namespace racelab {

template <class Key, class Value, class Hash = std::hash<Key>, class Equal = std::equal_to<Key>>
class mutex_map {
 public:
  using key_type = Key;
  using mapped_type = Value;

  mutex_map() = default;
  /// A copy of what was there at one moment.
  mutex_map(const mutex_map& other) : entries_(other.copied()) {}
  mutex_map& operator=(const mutex_map&) = delete;
  ~mutex_map() = default;

  [[nodiscard]] std::optional<Value> find(const Key& key) const {
    const mutex_lock lock(mutex_);
    const auto at = entries_.find(key);
    return at == entries_.end() ? std::nullopt : std::optional<Value>(at->second);
  }

  /// True if `key` was not there and is now.
  bool insert(const Key& key, const Value& value) {
    const mutex_lock lock(mutex_);
    return entries_.try_emplace(key, value).second;
  }

  void insert_or_assign(const Key& key, const Value& value) {
    const mutex_lock lock(mutex_);
    entries_.insert_or_assign(key, value);
  }

  /// The value that was removed, if any.
  std::optional<Value> erase(const Key& key) {
    const mutex_lock lock(mutex_);
    const auto at = entries_.find(key);
    if (at == entries_.end()) return std::nullopt;
    std::optional<Value> removed(std::move_if_noexcept(at->second));  // if it throws, the key is still there
    entries_.erase(at);
    return removed;
  }

  /// Removes `key` only if it has this value; true if it did.
  bool erase_if_equal(const Key& key, const Value& value) {
    const mutex_lock lock(mutex_);
    const auto at = entries_.find(key);
    if (at == entries_.end() || !(at->second == value)) return false;
    entries_.erase(at);
    return true;
  }

  /// Calls visit(key, value) for every entry, under the lock: `visit` must not call this map.
  template <class Visit> void for_each(Visit visit) const {
    const mutex_lock lock(mutex_);
    for (const auto& [key, value] : entries_) visit(key, value);
  }

  void clear() {
    table removed;
    const mutex_lock lock(mutex_);
    entries_.swap(removed);
  }

  [[nodiscard]] std::size_t size() const {
    const mutex_lock lock(mutex_);
    return entries_.size();
  }

 private:
  using table = std::unordered_map<Key, Value, Hash, Equal>;

  table copied() const {
    const mutex_lock lock(mutex_);
    return entries_;
  }

  mutable annotated_mutex mutex_;
  table entries_ RACELAB_GUARDED_BY(mutex_);
};

}  // namespace racelab
