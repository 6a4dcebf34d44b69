// Seeded hashes for the ported map, and its cheap random numbers.
#pragma once

#include <chrono>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string_view>
#include <type_traits>

namespace racelab {

namespace hash_detail {

__extension__ using u128 = unsigned __int128;

// Odd constants with as many ones as zeros, from wyhash (Wang Yi, public domain).
inline constexpr std::uint64_t secret_a = 0xa0761d6478bd642f;
inline constexpr std::uint64_t secret_b = 0xe7037ed1a0b428db;

/// The two halves of a 64x64 bit product, folded: wyhash's mixing step, which Go's memhash fallback uses too.
constexpr std::uint64_t mix(std::uint64_t a, std::uint64_t b) noexcept {
  const u128 product = u128{a} * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

constexpr std::uint64_t hash_word(std::uint64_t word, std::uint32_t seed) noexcept {
  return mix(word ^ secret_a, mix(seed ^ secret_b, secret_a) ^ 8);
}

template <class Word> std::uint64_t read(const char* from) noexcept {
  Word word;
  std::memcpy(&word, from, sizeof word);
  return word;
}

/// wyhash's idea with one word a step. A loop of our own: the standard library's runs where no sanitizer
/// looks.
inline std::uint64_t hash_bytes(const char* bytes, std::size_t size, std::uint32_t seed) noexcept {
  std::uint64_t hash = mix(seed ^ secret_b, secret_a ^ size);
  for (; size >= 8; bytes += 8, size -= 8) hash = mix(read<std::uint64_t>(bytes) ^ secret_a, hash ^ secret_b);
  std::uint64_t tail = 0;
  if (size >= 4) {
    tail = read<std::uint32_t>(bytes) << 32 | read<std::uint32_t>(bytes + size - 4);
  } else if (size > 0) {
    tail = read<std::uint8_t>(bytes) << 16 | read<std::uint8_t>(bytes + size / 2) << 8 |
           read<std::uint8_t>(bytes + size - 1);
  }
  return mix(tail ^ secret_a, hash ^ secret_b);
}

// This thread's generator; 0 means not seeded yet.
inline constinit thread_local std::uint64_t fastrand_state = 0;

}  // namespace hash_detail

/// Makes this thread's fastrand() repeatable. Every other thread is left alone.
inline void fastrand_seed(std::uint64_t seed) noexcept { hash_detail::fastrand_state = seed | 1; }

/// A random number of this thread's own generator (wyrand). It seeds itself from the clock and an address,
/// not from anything that threads share: that would order them.
inline std::uint64_t fastrand64() noexcept {
  std::uint64_t& state = hash_detail::fastrand_state;
  if (state == 0) {
    const auto now = std::chrono::steady_clock::now().time_since_epoch().count();
    fastrand_seed(hash_detail::mix(static_cast<std::uint64_t>(now) ^ hash_detail::secret_a,
                                   reinterpret_cast<std::uintptr_t>(&state) ^ hash_detail::secret_b));
  }
  state += hash_detail::secret_a;
  return hash_detail::mix(state, state ^ hash_detail::secret_b);
}

inline std::uint32_t fastrand() noexcept { return static_cast<std::uint32_t>(fastrand64() >> 32); }

/// hash(key, seed): 64 bits, of which the map uses the low ones for the bucket and the top eight for tophash.
/// Integers, enumerations, pointers, floating point (+0 and -0 alike; a NaN hashes differently at every call,
/// as in Go) and what is a std::string_view. Other types go through std::hash, mixed with the seed.
template <class K> struct go_hash {
  std::uint64_t operator()(const K& key, std::uint32_t seed) const {
    if constexpr (std::is_integral_v<K> || std::is_enum_v<K>) {
      return hash_detail::hash_word(static_cast<std::uint64_t>(key), seed);
    } else if constexpr (std::is_pointer_v<K>) {
      return hash_detail::hash_word(reinterpret_cast<std::uintptr_t>(key), seed);
    } else if constexpr (std::is_floating_point_v<K>) {
      if (std::isnan(key)) return hash_detail::hash_word(fastrand64(), seed);
      return hash_detail::hash_word(std::hash<K>{}(key), seed);  // std::hash is 0 for both zeros
    } else if constexpr (std::convertible_to<const K&, std::string_view>) {
      const std::string_view text = key;
      return hash_detail::hash_bytes(text.data(), text.size(), seed);
    } else {
      return hash_detail::hash_word(std::hash<K>{}(key), seed);
    }
  }
};

}  // namespace racelab
