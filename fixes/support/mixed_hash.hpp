// std::hash of an integer is the integer: before its bits choose a place they are mixed.
//
// Source: the finaliser of SplitMix64 (G. Steele, D. Lea, C. Flood, Fast Splittable Pseudorandom Number Generators, OOPSLA
// 2014; the constants are variant 13 of D. Stafford, Better Bit Mixing, 2011). It is a bijection: hashes that differ stay
// different.
#pragma once

#include <cstdint>

namespace racelab {

/// Every bit of the result depends on every bit of `hash`.
constexpr std::uint64_t mixed_hash(std::uint64_t hash) noexcept {
  hash = (hash ^ (hash >> 30U)) * 0xbf58'476d'1ce4'e5b9;
  hash = (hash ^ (hash >> 27U)) * 0x94d0'49bb'1331'11eb;
  return hash ^ (hash >> 31U);
}

}  // namespace racelab
