// boost::concurrent_flat_map: an open-addressing table with a readers-writer lock for each group of 15 entries.
// library: Boost
// needs: boost/unordered/concurrent_flat_map.hpp
//
// Thread safety
//   Any thread may call any operation at any time. Operations on keys of one group exclude each other, readers among
//   themselves not; growth, clear(), for_each() and the copy exclude all while they move, drop or copy the table.
//
// What the library can't give
//   Its cvisit_all() may come upon a key twice that is erased and stored anew during the walk, for it may return to
//   another group. So for_each() walks a copy, made under the table's exclusive lock. There is no size(): the
//   library's counts an entry before it can be found, and so says what was true at no moment.
//
// Invariants
//   1. Values are copied inside a visit, that is with the group locked.
//
// Reclamation
//   None is needed: entries lie in the table, and are looked at under their group's lock only.
//
// Exceptions
//   Whatever throws, the map is as it was; only, if a value's assignment throws, the value is what that left of it.
//
// Cost
//   A shared lock of the table, spread over cache lines so that threads do not meet there, and the group's lock. Growth
//   stops everybody. A walk copies the map.
//
// When not to use it
//   Keys that everybody reads: a read writes the group's lock word. Frequent walks: a snapshot serves them.
#pragma once

#include <boost/unordered/concurrent_flat_map.hpp>
#include <functional>
#include <optional>
#include <utility>

namespace racelab {

template <class Key, class Value, class Hash = std::hash<Key>, class Equal = std::equal_to<Key>>
class boost_concurrent_map {
 public:
  using key_type = Key;
  using mapped_type = Value;

  [[nodiscard]] std::optional<Value> find(const Key& key) const {
    std::optional<Value> found;
    entries_.cvisit(key, [&found](const auto& entry) { found.emplace(entry.second); });
    return found;
  }

  /// True if `key` was not there and is now.
  bool insert(const Key& key, const Value& value) { return entries_.try_emplace(key, value); }

  void insert_or_assign(const Key& key, const Value& value) { entries_.insert_or_assign(key, value); }

  /// The value that was removed, if any.
  std::optional<Value> erase(const Key& key) {
    std::optional<Value> removed;
    entries_.erase_if(key, [&removed](auto& entry) {
      removed.emplace(std::move_if_noexcept(entry.second));  // if it throws, the key is still there
      return true;
    });
    return removed;
  }

  /// Removes `key` only if it has this value; true if it did.
  bool erase_if_equal(const Key& key, const Value& value) {
    return entries_.erase_if(key, [&value](const auto& entry) { return entry.second == value; }) != 0;
  }

  /// Calls visit(key, value) for every entry that was there at one moment. `visit` may call this map.
  template <class Visit> void for_each(Visit visit) const {
    const table copy(entries_);
    copy.cvisit_all([&visit](const auto& entry) { visit(entry.first, entry.second); });
  }

  void clear() { entries_.clear(); }

 private:
  using table = boost::concurrent_flat_map<Key, Value, Hash, Equal>;
  table entries_;
};

}  // namespace racelab
