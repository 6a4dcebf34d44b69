// 64 shards of std::unordered_map, each with a mutex: what many would write, and the reference of the benchmarks.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "bench/peers/bare_unordered_map.hpp"

namespace racelab::bench {

/// `Table` in 64 parts, by the upper bits of a Fibonacci hash (D. Knuth, TAOCP 3, section 6.4): neighbours in one part stay
/// spread over its buckets, which the lower bits choose.
template <class Table> class sharded_by_mutex {
 public:
  using key_type = typename Table::key_type;
  using mapped_type = typename Table::mapped_type;

  [[nodiscard]] std::optional<mapped_type> find(const key_type& key) const {
    const shard& one = of(key);
    const std::lock_guard lock(one.mutex);
    return one.entries.find(key);
  }
  bool insert(const key_type& key, const mapped_type& value) {
    shard& one = of(key);
    const std::lock_guard lock(one.mutex);
    return one.entries.insert(key, value);
  }
  void insert_or_assign(const key_type& key, const mapped_type& value) {
    shard& one = of(key);
    const std::lock_guard lock(one.mutex);
    one.entries.insert_or_assign(key, value);
  }
  std::optional<mapped_type> erase(const key_type& key) {
    shard& one = of(key);
    const std::lock_guard lock(one.mutex);
    return one.entries.erase(key);
  }
  template <class Visit> void for_each(Visit visit) const {
    for (const shard& one : shards_) {
      const std::lock_guard lock(one.mutex);
      one.entries.for_each(visit);
    }
  }

 private:
  struct alignas(64) shard {
    mutable std::mutex mutex;
    bare_map<Table> entries;
  };

  static std::size_t index(const key_type& key) noexcept {
    return (std::uint64_t{std::hash<key_type>()(key)} * 0x9e37'79b9'7f4a'7c15) >> 58U;
  }
  shard& of(const key_type& key) noexcept { return shards_[index(key)]; }
  const shard& of(const key_type& key) const noexcept { return shards_[index(key)]; }

  std::array<shard, 64> shards_;
};

template <class Key, class Value> struct mutex_shards : sharded_by_mutex<std::unordered_map<Key, Value>> {};

}  // namespace racelab::bench
