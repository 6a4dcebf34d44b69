// Reads while ten threads delete: what does a lookup cost, at the median and in the tail, and what do the deleters get done?
//
// Two readers look up keys that stay; ten writers delete keys of their own and store them again. A reader times one lookup in
// 64, so that the clock (some 20 ns, which are not taken off) adds less than half a nanosecond to the mean, and keeps all times: the
// quantiles are exact.
#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
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

constexpr const char* reference = "rw_lock_map";
constexpr std::size_t readers = 2;
constexpr std::size_t deleters = 10;
constexpr std::size_t kept = 1000;           // keys that stay
constexpr std::size_t doomed_by_each = 100;  // keys of each deleter
constexpr std::uint64_t lookups_a_sample = 64;

struct reading {
  std::uint64_t lookups = 0;
  double seconds = 0;
  double processor_seconds = 0;
  std::vector<float> sampled_ns;
};

double processor_seconds() {
  timespec used{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return static_cast<double>(used.tv_sec) + 1e-9 * static_cast<double>(used.tv_nsec);
}

template <class Map> reading read_until(const Map& map, const std::atomic<bool>& stop, std::size_t start) {
  using clock = std::chrono::steady_clock;
  reading seen;
  seen.sampled_ns.reserve(1 << 20U);
  std::size_t at = start;
  const auto begin = clock::now();
  const double used = processor_seconds();
  while (!stop.load(std::memory_order_relaxed)) {
    for (std::uint64_t i = 1; i < lookups_a_sample; ++i) benchmark::DoNotOptimize(map.find(at++ % kept));
    const auto before = clock::now();
    benchmark::DoNotOptimize(map.find(at++ % kept));
    const auto after = clock::now();
    if (seen.sampled_ns.size() < seen.sampled_ns.capacity())
      seen.sampled_ns.push_back(std::chrono::duration<float, std::nano>(after - before).count());
    seen.lookups += lookups_a_sample;
  }
  seen.processor_seconds = processor_seconds() - used;
  seen.seconds = std::chrono::duration<double>(clock::now() - begin).count();
  return seen;
}

double quantile(std::vector<float>& times, double share) {
  const auto at = times.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(times.size() - 1));
  std::ranges::nth_element(times, at);
  return *at;
}

template <class Map> void run_once(benchmark::State& state, double seconds) {
  Map map;
  std::vector<key> all(kept + deleters * doomed_by_each);
  for (key i = 0; i < all.size(); ++i) all[i] = i;
  fill(map, all);
  for ([[maybe_unused]] auto _ : state) {
    std::atomic<bool> stop{false};
    std::vector<reading> seen(readers);
    std::atomic<std::uint64_t> deletes{0};
    {
      std::vector<std::jthread> threads;
      for (std::size_t i = 0; i < readers; ++i)
        threads.emplace_back([&, i] { seen[i] = read_until(map, stop, i * kept / readers); });
      for (std::size_t i = 0; i < deleters; ++i)
        threads.emplace_back([&, i] {
          std::uint64_t done = 0;
          while (!stop.load(std::memory_order_relaxed)) {
            const key mine = kept + i * doomed_by_each + done % doomed_by_each;
            benchmark::DoNotOptimize(map.erase(mine));
            map.insert(mine, done++);
          }
          deletes += done;
        });
      std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
      stop = true;
    }
    std::vector<float> times;
    double reader_seconds = 0;
    double reader_processor_seconds = 0;
    std::uint64_t lookups = 0;
    for (reading& each : seen) {
      times.insert(times.end(), each.sampled_ns.begin(), each.sampled_ns.end());
      reader_seconds += each.seconds;
      reader_processor_seconds += each.processor_seconds;
      lookups += each.lookups;
    }
    if (times.empty()) {
      state.SkipWithError("no reader came to a single lookup");
      return;
    }
    state.counters["read_ns"] = reader_seconds * 1e9 / static_cast<double>(lookups);
    state.counters["read_processor_ns"] = reader_processor_seconds * 1e9 / static_cast<double>(lookups);
    state.counters["read_ns_p50"] = quantile(times, 0.5);
    state.counters["read_ns_p99"] = quantile(times, 0.99);
    state.counters["read_ns_p99.9"] = quantile(times, 0.999);
    state.counters["reads_per_s"] = static_cast<double>(lookups) / seconds;
    state.counters["deletes_per_s"] = static_cast<double>(deletes.load()) / seconds;
  }
}

void plan(rounds& into, const settings& chosen) {
  const double seconds = chosen.quick ? 0.05 : std::max(0.3, 2 * chosen.seconds);
  for_each_contender<contenders>([&]<class Contender>() {
    using map_type = typename Contender::template map<key, std::uint64_t>;
    if constexpr (!for_one_thread<map_type>()) {
      into.turn(Contender::name, [] {}, [] {});
      into.once("deleters=10 readers=2",
                [seconds](benchmark::State& state) { run_once<map_type>(state, seconds); });
    }
  });
}

void tell(const results& measured) {
  const std::string point = measured.points().front();
  fmt::print(
      "\n{} readers, {} deleters. ns: the readers' time by their lookups; processor ns: what they computed "
      "of it; "
      "quantiles of single lookups, in ns\n",
      readers, deleters);
  fmt::print("  {:<22} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}  ns over {} [95 %]\n", "", "ns", "proc. ns",
             "p50", "p99", "p99.9", "Mreads/s", "Mdel/s", reference);
  for (const std::string& contender : measured.contenders()) {
    const auto median = [&](const char* quantity) {
      return measured.value(contender, point, quantity).median;
    };
    std::string compared = "-";
    if (measured.has(reference, point, "read_ns")) {
      const paired_ratio over = measured.ratio(contender, reference, point, "read_ns");
      compared = fmt::format("{:.2f} [{:.2f}, {:.2f}]", over.median, over.low, over.high);
    }
    fmt::print("  {:<22} {:>9.1f} {:>9.1f} {:>9.0f} {:>9.0f} {:>9.0f} {:>9.2f} {:>9.3f}  {}\n", contender,
               median("read_ns"), median("read_processor_ns"), median("read_ns_p50"), median("read_ns_p99"),
               median("read_ns_p99.9"), median("reads_per_s") / 1e6, median("deletes_per_s") / 1e6, compared);
  }
  fmt::print(
      "\n{} threads share this machine's processors: most of a reader's time may be another thread's turn.\n",
      readers + deleters);
}

}  // namespace

int main(int argc, char** argv) {
  return answer(
      argc, argv,
      {.name = "read_under_delete_bench",
       .asked = "Reads while ten threads delete: what does a lookup cost, and what do the deleters get done?",
       .plan = plan,
       .tell = tell,
       .plots = {{.file = "read_under_delete_reads",
                  .title = "What a lookup takes while ten threads delete",
                  .quantity = "read_ns",
                  .unit = "ns",
                  .by_ten = true},
                 {.file = "read_under_delete_deletes",
                  .title = "What ten deleting threads get done beside two readers",
                  .quantity = "deletes_per_s",
                  .unit = "million deletes a second",
                  .by_ten = true,
                  .scale = 1e6}}});
}
