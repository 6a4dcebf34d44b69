// libcuckoo's cuckoohash_map: every key is in one of two buckets, which are locked for each operation on it.
// library: libcuckoo
// needs: libcuckoo/cuckoohash_map.hh
//
// Thread safety
//   Any thread may call any operation at any time. Operations on keys whose buckets share a lock exclude each other,
//   readers too; for_each(), clear(), size() and the copy take all locks.
//
// What the library can't give
//   Its size() adds up plain counters while others change them, a data race, and its copy constructor takes no lock:
//   here both go through lock_table(). Keys with one hash have eight places: a ninth makes the insert throw
//   libcuckoo::load_factor_too_low, whatever the table's size, as does a hash that leaves many keys few buckets.
//   std::hash of an integer is the integer itself, which does that for multiples of a power of two. So hashes are mixed.
//
// Invariants
//   1. The table is made with at least as many buckets as it can have locks (2^16). A smaller one adds locks as it
//      grows, to a std::list that other threads read meanwhile without a lock: a data race.
//   2. Values are copied while the buckets are locked.
//
// Reclamation
//   None is needed: entries lie in the buckets, and are looked at under the buckets' locks only.
//
// Exceptions
//   Whatever throws, the map is as it was, with three reservations: if a value's assignment throws, the value is what
//   that left of it; a key or value whose move may throw is moved all the same when a place must be made; and
//   load_factor_too_low, see above.
//
// Cost
//   Two spin locks (which never sleep: a thread that loses the processor while it holds one lets the others spin) and
//   two buckets for each operation. A walk takes all 65,536 locks, and an empty map has as many cache lines of them and
//   262,144 places for entries.
//
// When not to use it
//   Small maps or many of them, long walks, more threads than processors.
#pragma once

#include <cstddef>
#include <functional>
#include <libcuckoo/cuckoohash_map.hh>
#include <optional>
#include <utility>

#include "fixes/support/mixed_hash.hpp"

namespace racelab {

template <class Key, class Value, class Hash = std::hash<Key>, class Equal = std::equal_to<Key>>
class libcuckoo_map {
 public:
  using key_type = Key;
  using mapped_type = Value;

  libcuckoo_map() = default;
  /// A copy of what was there at one moment.
  libcuckoo_map(const libcuckoo_map& other) {
    other.for_each([this](const Key& key, const Value& value) { insert(key, value); });
  }
  libcuckoo_map(libcuckoo_map&&) = delete;
  libcuckoo_map& operator=(const libcuckoo_map&) = delete;
  libcuckoo_map& operator=(libcuckoo_map&&) = delete;
  ~libcuckoo_map() = default;

  [[nodiscard]] std::optional<Value> find(const Key& key) const {
    std::optional<Value> found;
    entries_.find_fn(key, [&found](const Value& value) { found.emplace(value); });
    return found;
  }

  /// True if `key` was not there and is now.
  bool insert(const Key& key, const Value& value) { return entries_.insert(key, value); }

  void insert_or_assign(const Key& key, const Value& value) { entries_.insert_or_assign(key, value); }

  /// The value that was removed, if any.
  std::optional<Value> erase(const Key& key) {
    std::optional<Value> removed;
    entries_.erase_fn(key, [&removed](Value& value) {
      removed.emplace(std::move_if_noexcept(value));  // if it throws, the key is still there
      return true;
    });
    return removed;
  }

  /// Removes `key` only if it has this value; true if it did.
  bool erase_if_equal(const Key& key, const Value& value) {
    bool equal = false;
    entries_.erase_fn(key, [&](const Value& now) { return equal = now == value; });
    return equal;
  }

  /// Calls visit(key, value) for every entry, under all locks: `visit` must not call this map.
  template <class Visit> void for_each(Visit visit) const {
    const auto locked = entries_.lock_table();
    for (const auto& [key, value] : locked) visit(key, value);
  }

  void clear() { entries_.clear(); }

  [[nodiscard]] std::size_t size() const { return entries_.lock_table().size(); }

 private:
  struct mixing_hash {
    // The library takes the bucket from the low bits and the other bucket from all of them.
    std::size_t operator()(const Key& key) const { return mixed_hash(Hash()(key)); }
  };

  // Mutable: a walk locks the table, which the library does not take for const.
  mutable libcuckoo::cuckoohash_map<Key, Value, mixing_hash, Equal> entries_;
};

}  // namespace racelab
