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

/// Uniform in [0, most], from the bits of `random` above `shift`.
constexpr std::uint32_t up_to(std::uint64_t most, std::uint64_t random, unsigned shift) noexcept {
  return static_cast<std::uint32_t>((random >> shift) % (most + 1));
}

}  // namespace racelab::watch
