// What threads do to a map: which keys, how often each, and how many of the operations write.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace racelab::bench {

/// How often which key is asked for.
enum class popularity {
  uniform,
  zipf,  // the k-th most wanted key in proportion to k^-0.99, as YCSB has it
  hot,   // one key alone
};

[[nodiscard]] constexpr const char* name_of(popularity which) {
  switch (which) {
    case popularity::uniform:
      return "uniform";
    case popularity::zipf:
      return "zipf";
    case popularity::hot:
      return "hot";
  }
  return "";
}

/// One operation: on which key, and whether it writes.
struct step {
  std::uint32_t key : 31;
  std::uint32_t writes : 1;
};

/// The i-th key: the integer itself, or "key-%d".
template <class Key> [[nodiscard]] Key make_key(std::uint64_t i) {
  if constexpr (std::is_same_v<Key, std::string>)
    return "key-" + std::to_string(i);
  else
    return static_cast<Key>(i);
}

template <class Key> using shared_keys = std::shared_ptr<const std::vector<Key>>;

/// The first `entries` keys, always in the same disorder: neither neighbours in a map nor here are equally popular.
template <class Key> [[nodiscard]] shared_keys<Key> make_keys(std::size_t entries) {
  std::vector<Key> keys;
  keys.reserve(entries);
  for (std::size_t i = 0; i < entries; ++i) keys.push_back(make_key<Key>(i));
  std::ranges::shuffle(keys, std::mt19937_64(entries));
  return std::make_shared<const std::vector<Key>>(std::move(keys));
}

/// Operations on keys, drawn beforehand: drawing is not what is timed. All threads go through the same operations, each
/// from another place on. The same arguments give the same workload.
template <class Key> class workload {
 public:
  /// `reads` of a hundred operations look a key up.
  workload(shared_keys<Key> keys, popularity which, double reads) : keys_(std::move(keys)) {
    const std::size_t entries = keys_->size();
    std::mt19937_64 random(entries);
    std::vector<double> cumulative;
    if (which == popularity::zipf) {
      double sum = 0;
      cumulative.reserve(entries);
      for (std::size_t rank = 1; rank <= entries; ++rank)
        cumulative.push_back(sum += std::pow(static_cast<double>(rank), -0.99));
    }
    steps_.resize(std::bit_ceil(std::max<std::size_t>(entries, std::size_t{1} << 16U)));
    std::uniform_int_distribution<std::size_t> any(0, entries - 1);
    std::uniform_real_distribution<double> share(0, 100);
    for (step& each : steps_) {
      std::size_t key = 0;
      if (which == popularity::uniform) key = any(random);
      if (which == popularity::zipf) {
        std::uniform_real_distribution<double> part(0, cumulative.back());
        key =
            static_cast<std::size_t>(std::ranges::lower_bound(cumulative, part(random)) - cumulative.begin());
      }
      each.key = static_cast<std::uint32_t>(std::min(key, entries - 1)) & 0x7fff'ffffU;
      each.writes = share(random) >= reads ? 1 : 0;
    }
  }

  [[nodiscard]] const Key& key_of(step at) const noexcept { return (*keys_)[at.key]; }
  [[nodiscard]] step operator[](std::size_t i) const noexcept { return steps_[i & (steps_.size() - 1)]; }

  /// Where a thread begins.
  [[nodiscard]] std::size_t start(int thread, int threads) const noexcept {
    return steps_.size() / static_cast<std::size_t>(threads) * static_cast<std::size_t>(thread);
  }

 private:
  shared_keys<Key> keys_;
  std::vector<step> steps_;
};

}  // namespace racelab::bench
