// What hmap looks like inside, as text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <ostream>
#include <string>

#include "repro/support/hmap/hmap.hpp"

namespace racelab {

/// "emptyOne", "evacuatedX", …, or two hex digits for a filled cell.
inline std::string tophash_name(std::uint8_t state) {
  constexpr const char* names[] = {"emptyRest", "emptyOne", "evacuatedX", "evacuatedY", "evacuatedEmpty"};
  if (state < cell::minTopHash) return names[state];
  constexpr const char* digits = "0123456789abcdef";
  return {digits[state >> 4], digits[state & 15]};
}

/// "hashWriting|iterator", or "0".
inline std::string flag_names(std::uint8_t flags) {
  constexpr const char* names[] = {"iterator", "oldIterator", "hashWriting", "sameSizeGrow"};
  std::string text;
  for (unsigned bit = 0; bit < 4; ++bit) {
    if ((flags >> bit & 1) != 0) text += (text.empty() ? "" : "|") + std::string(names[bit]);
  }
  return text.empty() ? "0" : text;
}

template <class K, class V, class Misuse, class Hash, class Equal>
void hmap<K, V, Misuse, Hash, Equal>::dump(std::ostream& out) const {
  const auto print_table = [&](const char* name, const bmap* first, std::size_t length) {
    out << name << '\n';
    for (std::size_t i = 0; i < length; ++i) {
      for (const bmap* b = first + i; b != nullptr; b = b->overflow) {
        out << "  " << (b == first + i ? std::to_string(i) + ":" : std::string("overflow:"));
        for (std::size_t c = 0; c < bucketCnt;) {
          // Equal states in one word: "emptyRest x5".
          const std::uint8_t state = b->tophash[c];
          std::size_t run = 1;
          while (state < cell::minTopHash && c + run < bucketCnt && b->tophash[c + run] == state) ++run;
          out << ' ' << tophash_name(state);
          if (run > 1) out << " x" << run;
          c += run;
        }
        out << '\n';
      }
    }
  };
  out << "count " << count_ << ", flags " << flag_names(flags()) << ", B " << unsigned{B_} << ", noverflow "
      << noverflow_ << ", nevacuate " << nevacuate_ << '\n';
  if (buckets_ != nullptr) print_table("buckets", buckets_, bucketShift(B_));
  if (oldbuckets_ != nullptr) print_table("oldbuckets", oldbuckets_, noldbuckets());
}

}  // namespace racelab
