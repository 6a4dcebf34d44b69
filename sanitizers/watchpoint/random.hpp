// Random numbers for choices, and hashes: splitmix64.
#pragma once

#include <cstdint>

namespace racelab::watch {

/// The finaliser of splitmix64 (Steele, Lea, Flood 2014).
constexpr std::uint64_t mix(std::uint64_t z) noexcept {
  z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31U);
}

/// splitmix64: one word of state, good enough to spread stalls.
constexpr std::uint64_t next_random(std::uint64_t& state) noexcept {
  return mix(state += 0x9e3779b97f4a7c15U);
}

}  // namespace racelab::watch
