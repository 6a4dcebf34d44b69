// A test's view of hmap's tables.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

#include "repro/support/hmap/hmap.hpp"

namespace racelab {

struct hmap_peek {
  template <class Map> static bool growing(const Map& map) { return map.growing(); }
  template <class Map> static bool same_size(const Map& map) { return map.sameSizeGrow(); }
  template <class Map> static bool has_buckets(const Map& map) { return map.buckets_ != nullptr; }
  template <class Map> static std::size_t buckets(const Map& map) { return std::size_t{1} << map.B_; }
  template <class Map> static unsigned noverflow(const Map& map) { return map.noverflow_; }
  template <class Map> static std::uint32_t hash0(const Map& map) { return map.hash0_; }
  template <class Map> static std::atomic<std::uint8_t>& flags(const Map& map) { return map.flags_; }
  // Overflow buckets that were allocated one by one.
  template <class Map> static std::size_t single_overflow_buckets(const Map& map) {
    return map.extra_ == nullptr || map.extra_->overflow == nullptr ? 0 : map.extra_->overflow->size();
  }
  template <class Map> static bool has_preallocated_overflow(const Map& map) {
    return map.extra_ != nullptr && map.extra_->nextOverflow != nullptr;
  }

  template <class Map> static std::uint8_t& state(const Map& map, std::size_t bucket, std::size_t i) {
    return map.buckets_[bucket].tophash[i];
  }

  /// What is wrong with the empty cells of the current table, or "". In each chain the emptyRest cells are
  /// the last ones, and the cell before them is not emptyOne.
  template <class Map> static std::string tombstone_check(const Map& map) {
    for (std::size_t i = 0; map.buckets_ != nullptr && i < buckets(map); ++i) {
      std::uint8_t before = cell::minTopHash;
      for (const auto* b = map.buckets_ + i; b != nullptr; b = b->overflow) {
        for (const std::uint8_t state : b->tophash) {
          if (state == cell::emptyRest && before == cell::emptyOne) return "emptyOne before emptyRest";
          if (state != cell::emptyRest && before == cell::emptyRest)
            return "a cell after emptyRest is not emptyRest";
          before = state;
        }
      }
      if (before == cell::emptyOne) return "emptyOne at the end of a chain";
    }
    return "";
  }
};

}  // namespace racelab
