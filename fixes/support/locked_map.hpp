// A map with one lock around everything; the remedies that are one differ by the lock and by how readers take it.
#pragma once

#include <cstddef>
#include <optional>
#include <unordered_map>
#include <utility>

#include "fixes/support/table_steps.hpp"
#include "sanitizers/annotations/annotated_mutex.hpp"

namespace racelab {

template <class Key, class Value, class Hash, class Equal, class Mutex, template <class> class ReaderLock>
// NOLINTNEXTLINE(cppcoreguidelines-special-member-functions): a move is a copy
class locked_map {
 public:
  using key_type = Key;
  using mapped_type = Value;

  locked_map() = default;
  /// A copy of what was there at one moment.
  locked_map(const locked_map& other) : entries_(other.copied()) {}
  locked_map& operator=(const locked_map&) = delete;
  ~locked_map() = default;

  [[nodiscard]] std::optional<Value> find(const Key& key) const {
    const ReaderLock<Mutex> lock(mutex_);
    return detail::value_in(entries_, key);
  }

  /// True if `key` was not there and is now.
  bool insert(const Key& key, const Value& value) {
    const mutex_lock lock(mutex_);
    return entries_.try_emplace(key, value).second;
  }

  /// Where a value is replaced, its own assignment decides what an exception leaves of it.
  void insert_or_assign(const Key& key, const Value& value) {
    Value stored(value);  // if this throws, nothing has changed
    const mutex_lock lock(mutex_);
    detail::store_in(entries_, key, std::move(stored));
  }

  /// The value that was removed, if any.
  std::optional<Value> erase(const Key& key) {
    std::optional<Value> removed;
    const mutex_lock lock(mutex_);
    detail::take_from(entries_, key, removed);
    return removed;
  }

  /// Removes `key` only if it has this value; true if it did.
  bool erase_if_equal(const Key& key, const Value& value) {
    const mutex_lock lock(mutex_);
    return detail::erase_equal_in(entries_, key, value);
  }

  /// Calls visit(key, value) for every entry, under the lock: `visit` must not call this map.
  template <class Visit> void for_each(Visit visit) const {
    const ReaderLock<Mutex> lock(mutex_);
    for (const auto& [key, value] : entries_) visit(key, value);
  }

  void clear() {
    table removed;
    const mutex_lock lock(mutex_);
    entries_.swap(removed);
  }

  [[nodiscard]] std::size_t size() const {
    const ReaderLock<Mutex> lock(mutex_);
    return entries_.size();
  }

 private:
  using table = std::unordered_map<Key, Value, Hash, Equal>;

  table copied() const {
    const ReaderLock<Mutex> lock(mutex_);
    return entries_;
  }

  mutable Mutex mutex_;
  table entries_ RACELAB_GUARDED_BY(mutex_);
};

}  // namespace racelab
