// Does the write flag cost more the more threads there are? Lookups of one map by all of them, which is all that a map without
// a lock allows, and erase with insert by each in a map of its own.
#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>

#include "bench/support/program.hpp"
#include "bench/support/workload.hpp"
#include "sanitizers/write_flag/checked.hpp"

namespace {

using namespace racelab::bench;
using key = std::uint64_t;
using table = std::unordered_map<key, std::uint64_t>;

constexpr std::size_t entries = 1'000;
constexpr const char* without = "without";

void count_operations(benchmark::State& state) {
  state.counters["ops_per_s"] =
      benchmark::Counter(static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}

template <class Map> void fill_with(Map& map, const std::vector<key>& keys) {
  for (const key each : keys) map.try_emplace(each, each);
}

template <class Map> void look_up(benchmark::State& state, Map& map, const std::vector<key>& keys) {
  std::size_t at = static_cast<std::size_t>(state.thread_index()) * keys.size() / 8;
  for ([[maybe_unused]] auto _ : state) {
    benchmark::DoNotOptimize(map.find(keys[at])->second);
    at = (at + 1) % keys.size();
  }
  count_operations(state);
}

template <class Map> void erase_and_insert(benchmark::State& state, const std::vector<key>& keys) {
  Map map;
  fill_with(map, keys);
  std::size_t at = 0;
  for ([[maybe_unused]] auto _ : state) {
    benchmark::DoNotOptimize(map.erase(keys[at]));
    benchmark::DoNotOptimize(map.try_emplace(keys[at], at).second);
    at = (at + 1) % keys.size();
  }
  count_operations(state);
}

template <class Map> void plan_turn(rounds& into, const settings& chosen, std::string contender) {
  const auto keys = make_keys<key>(entries);
  const auto map = std::make_shared<std::unique_ptr<Map>>();
  into.turn(
      std::move(contender),
      [map, keys] {
        *map = std::make_unique<Map>();
        fill_with(**map, *keys);
      },
      [map] { *map = nullptr; });
  for (const int threads : {1, 2, 4, 8}) {
    into.cell(fmt::format("what=shared_lookups threads={}", threads), threads, chosen.seconds,
              [map, keys](benchmark::State& state) { look_up(state, **map, *keys); });
    into.cell(fmt::format("what=own_map_erase_insert threads={}", threads), threads, chosen.seconds,
              [keys](benchmark::State& state) { erase_and_insert<Map>(state, *keys); });
  }
}

}  // namespace

int main(int argc, char** argv) {
  return answer(
      argc, argv,
      {.name = "flag_threads_bench",
       .asked = "Does the write flag cost more the more threads there are?",
       .plan =
           [](rounds& into, const settings& chosen) {
             plan_turn<table>(into, chosen, without);
             plan_turn<racelab::checked<table>>(into, chosen, "write_flag");
           },
       .tell = [](const results& measured) { measured.print("ops_per_s", "Mops/s", 1e6, without); }});
}
