// oneTBB's concurrent_hash_map without what fixes/tbb_hash_map.hpp adds for walks and copies.
//
// library: oneTBB
// needs: oneapi/tbb/concurrent_hash_map.h
// links: tbb
#pragma once

#include <oneapi/tbb/concurrent_hash_map.h>

#include <memory>
#include <optional>
#include <utility>

namespace racelab::bench {

template <class Key, class Value> class tbb_as_it_is {
 public:
  using key_type = Key;
  using mapped_type = Value;

  [[nodiscard]] std::optional<Value> find(const Key& key) const {
    typename table::const_accessor at;
    return entries_.find(at, key) ? std::optional<Value>(at->second) : std::nullopt;
  }
  bool insert(const Key& key, const Value& value) {
    return entries_.insert(std::pair<const Key, Value>(key, value));
  }
  void insert_or_assign(const Key& key, const Value& value) {
    typename table::accessor at;
    if (!entries_.insert(at, std::pair<const Key, Value>(key, value))) at->second = value;
  }
  std::optional<Value> erase(const Key& key) {
    typename table::accessor at;
    if (!entries_.find(at, key)) return std::nullopt;
    std::optional<Value> removed(at->second);
    entries_.erase(at);
    return removed;
  }

 private:
  // With malloc, as all others have it: TBB's own allocator takes pages of its own.
  using table = oneapi::tbb::concurrent_hash_map<Key, Value, oneapi::tbb::tbb_hash_compare<Key>,
                                                 std::allocator<std::pair<const Key, Value>>>;
  table entries_;
};

}  // namespace racelab::bench
