// A mix of reads and writes over a full map, as one cell of a benchmark.
#pragma once

#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "bench/support/workload.hpp"

namespace racelab::bench {

/// Stores every key once: at once, where the map has a way to.
template <class Map, class Key> void fill(Map& map, const std::vector<Key>& keys) {
  if constexpr (requires(const std::vector<std::pair<Key, std::uint64_t>>& entries) {
                  map.insert_or_assign_all(entries);
                }) {
    std::vector<std::pair<Key, std::uint64_t>> entries;
    entries.reserve(keys.size());
    for (const Key& key : keys) entries.emplace_back(key, entries.size());
    map.insert_or_assign_all(entries);
  } else {
    for (std::size_t i = 0; i < keys.size(); ++i) map.insert(keys[i], i);
  }
}

/// Goes through the workload's operations. A write erases a key, the thread's next write stores it again: the map stays
/// full but for a key a thread, however long it lasts. Counter: `ops_per_s`, of all threads.
/// The value that is stored is a copy: a reference to `at` would keep it in memory, and each lookup would wait for that.
template <class Map, class Key> void run_mix(benchmark::State& state, Map& map, const workload<Key>& work) {
  std::size_t at = work.start(state.thread_index(), state.threads());
  std::optional<step> erased;
  for ([[maybe_unused]] auto _ : state) {
    const step now = work[at++];
    if (now.writes == 0) {
      benchmark::DoNotOptimize(map.find(work.key_of(now)));
    } else if (erased) {
      map.insert(work.key_of(*erased), std::uint64_t{at});
      erased.reset();
    } else {
      benchmark::DoNotOptimize(map.erase(work.key_of(now)));
      erased = now;
    }
  }
  if (erased) map.insert(work.key_of(*erased), std::uint64_t{at});
  state.counters["ops_per_s"] =
      benchmark::Counter(static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}

}  // namespace racelab::bench
