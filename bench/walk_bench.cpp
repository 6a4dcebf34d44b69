// Walks beside writes: what does a walk over all entries cost while two threads write, and what is left for the writers? And how
// fast do many deletions go, one by one and, where a map can, in one?
#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "bench/contenders.hpp"
#include "bench/support/contender.hpp"
#include "bench/support/program.hpp"

namespace {

using namespace racelab::bench;
using key = std::uint64_t;
using clock_type = std::chrono::steady_clock;

constexpr const char* reference = "mutex_map";
constexpr std::size_t entries = 10'000;

double seconds_since(clock_type::time_point start) {
  return std::chrono::duration<double>(clock_type::now() - start).count();
}

template <class Map> void walk_once(benchmark::State& state, double seconds) {
  const auto keys = make_keys<key>(entries);
  Map map;
  fill(map, *keys);
  for ([[maybe_unused]] auto _ : state) {
    std::atomic<bool> stop{false};
    std::atomic<std::uint64_t> writes{0};
    std::uint64_t walked = 0;
    double walking = 0;
    {
      std::vector<std::jthread> writers;
      for (std::size_t writer = 0; writer < 2; ++writer)
        writers.emplace_back([&, writer] {
          std::uint64_t done = 0;
          for (std::size_t i = writer; !stop.load(std::memory_order_relaxed); i = (i + 2) % keys->size()) {
            map.erase((*keys)[i]);
            map.insert((*keys)[i], i);
            done += 2;
          }
          writes += done;
        });
      const auto start = clock_type::now();
      do {
        std::uint64_t sum = 0;
        map.for_each([&](const key&, const std::uint64_t& value) {
          sum += value;
          ++walked;
        });
        benchmark::DoNotOptimize(sum);
        walking = seconds_since(start);
      } while (walking < seconds);
      stop = true;
    }
    state.counters["walked_per_s"] = static_cast<double>(walked) / walking;
    state.counters["writes_per_s"] = static_cast<double>(writes.load()) / walking;
  }
}

template <class Map> void delete_once(benchmark::State& state, bool at_once) {
  const auto keys = make_keys<key>(entries);
  const std::vector<key> doomed(keys->begin(), keys->begin() + entries / 2);
  for ([[maybe_unused]] auto _ : state) {
    Map map;
    fill(map, *keys);
    const auto start = clock_type::now();
    if (at_once) {
      if constexpr (requires { map.erase_all(doomed); }) map.erase_all(doomed);
    } else {
      for (const key each : doomed) map.erase(each);
    }
    state.counters["deletes_per_s"] = static_cast<double>(doomed.size()) / seconds_since(start);
  }
}

void plan(rounds& into, const settings& chosen) {
  const double seconds = chosen.quick ? 0.05 : 2 * chosen.seconds;
  for_each_contender<contenders>([&]<class Contender>() {
    using map_type = typename Contender::template map<key, std::uint64_t>;
    into.turn(Contender::name, [] {}, [] {});
    if constexpr (!for_one_thread<map_type>() &&
                  requires(const map_type& map) { map.for_each([](const key&, const std::uint64_t&) {}); })
      into.once("what=walk", [seconds](benchmark::State& state) { walk_once<map_type>(state, seconds); });
    into.once("what=delete batch=1", [](benchmark::State& state) { delete_once<map_type>(state, false); });
    if constexpr (requires(map_type& map, const std::vector<key>& doomed) { map.erase_all(doomed); })
      into.once(fmt::format("what=delete batch={}", entries / 2),
                [](benchmark::State& state) { delete_once<map_type>(state, true); });
  });
}

void tell(const results& measured) {
  fmt::print("\n{} entries. Walks by one thread beside two writers, millions of entries a second:\n",
             entries);
  measured.print("walked_per_s", "M/s", 1e6, reference);
  fmt::print("\nThe writers beside the walk:\n");
  measured.print("writes_per_s", "Mwrites/s", 1e6, reference);
  fmt::print("\nHalf of the keys deleted by one thread:\n");
  measured.print("deletes_per_s", "Mdel/s", 1e6, reference);
}

}  // namespace

int main(int argc, char** argv) {
  return answer(
      argc, argv,
      {.name = "walk_bench",
       .asked = "What does a walk cost while two threads write, and what does a deletion of many keys?",
       .plan = plan,
       .tell = tell});
}
