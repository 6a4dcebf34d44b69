// The pairs of sites that have a record already.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <utility>

#include "sanitizers/watchpoint/random.hpp"

namespace racelab::watch {

/// A fixed set of unordered pairs of pcs, by a hash of 64 bits: two pairs with one hash would share a record. All
/// atomics are relaxed: they order nothing.
class seen_pairs {
 public:
  /// True at the first call with this pair, in either order. False when there is no room for it.
  bool insert(std::uintptr_t a, std::uintptr_t b) noexcept {
    const std::uint64_t key = hash(std::minmax(a, b));
    for (std::size_t probe = 0; probe < 64; ++probe) {
      std::atomic<std::uint64_t>& place = places_[(key + probe) % places_.size()];
      std::uint64_t found = 0;
      if (place.compare_exchange_strong(found, key, std::memory_order_relaxed)) return true;
      if (found == key) return false;
    }
    return false;
  }

  void clear() noexcept {
    for (auto& place : places_) place.store(0, std::memory_order_relaxed);
  }

 private:
  // Over each in turn; never 0, which is an empty place.
  static std::uint64_t hash(std::pair<std::uintptr_t, std::uintptr_t> pair) noexcept {
    const std::uint64_t mixed = mix(mix(pair.first + 1) + pair.second);
    return mixed != 0 ? mixed : 1;
  }

  std::array<std::atomic<std::uint64_t>, 8192> places_{};
};

}  // namespace racelab::watch
