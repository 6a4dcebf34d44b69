// The blog post's hybrid cache with tables that outlive their clear(): readers of a cleared one crash no more, so what
// is left of the bug is its order. There is no data race in it.
#pragma once

#include <atomic>
#include <cstddef>
#include <iterator>
#include <unordered_map>

#define lab_map lab_map_that_crashes
#include "repro/support/maps/seed_hybrid_cache.hpp"
#undef lab_map

namespace racelab {

/// Empty for its readers once it is cleared; its entries stay until it is destroyed.
template <class Key, class Value> class table_that_keeps : public std::unordered_map<Key, Value> {
 public:
  using entries = std::unordered_map<Key, Value>;

  /// Visits each entry, as the real one does to free it.
  void clear() {
    std::atomic_ref(cleared_).store(true, std::memory_order_relaxed);  // publishes nothing but itself
    kept_ += std::distance(entries::begin(), entries::end());
  }

  [[nodiscard]] auto find(const Key& key) const { return seen_cleared() ? this->end() : entries::find(key); }
  [[nodiscard]] auto begin() const { return seen_cleared() ? this->end() : entries::begin(); }

 private:
  bool seen_cleared() const { return std::atomic_ref(cleared_).load(std::memory_order_relaxed); }

  mutable bool cleared_ = false;  // atomic, but in copies: only a table that is not cleared is copied
  std::ptrdiff_t kept_ = 0;       // entries that a real clear() would have freed
};

template <class Key, class Value>
using hybrid_cache_kept = seed_hybrid_cache<Key, Value, table_that_keeps<Key, Value>>;

}  // namespace racelab
