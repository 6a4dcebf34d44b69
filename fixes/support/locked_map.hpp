// A map with one lock around everything; the remedies that are one differ by the lock and by how readers take it.
#pragma once

#include <cstddef>
#include <optional>
#include <unordered_map>
#include <utility>

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
    const auto at = entries_.find(key);
    return at == entries_.end() ? std::nullopt : std::optional<Value>(at->second);
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
    const auto [at, fresh] = entries_.try_emplace(key, std::move(stored));
    if (!fresh) at->second = std::move(stored);  // try_emplace moves only into a new entry
  }

  /// The value that was removed, if any.
  std::optional<Value> erase(const Key& key) {
    std::optional<Value>
        removed;  // the one variable that is returned: no copy that could throw once the key is gone
    const mutex_lock lock(mutex_);
    const auto at = entries_.find(key);
    if (at != entries_.end()) {
      removed.emplace(std::move_if_noexcept(at->second));
      entries_.erase(at);
    }
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
