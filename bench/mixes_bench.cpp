// What does each map do with which mix of reads and writes?
//
// Every contender, with both kinds of keys, in a small and a large map, on four threads: uniform keys with every share of reads,
// Zipf's and one hot key with three of them. Uniform keys with these three on one thread, too, and with one on two and eight. Left
// out: writes to a map of a million entries that copies all of them for each.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bench/contenders.hpp"
#include "bench/support/contender.hpp"
#include "bench/support/program.hpp"

namespace {

using namespace racelab::bench;

constexpr const char* reference = "mutex_shards";
constexpr const char* floor_map = "bare_unordered_map";
constexpr std::size_t large = 1'000'000;
constexpr double near_enough = 0.9;

bool copies_all(std::string_view map) { return map == "copy_on_write_map" || map == "cas_snapshot_map"; }

template <class Key> class mixes {
 public:
  explicit mixes(const settings& chosen) : chosen_(chosen) {}

  void plan(rounds& into, std::size_t entries) {
    const auto keys = make_keys<Key>(entries);
    std::map<std::pair<popularity, unsigned>, std::shared_ptr<const workload<Key>>> works;
    const auto work = [&](popularity which, unsigned reads) {
      auto& one = works[{which, reads}];
      if (!one) one = std::make_shared<const workload<Key>>(keys, which, reads);
      return one;
    };
    const std::string map_of =
        fmt::format("keys={} entries={}", sizeof(Key) == 8 ? "uint64" : "key-%d", entries);
    for_each_contender<contenders>([&]<class Contender>() {
      using map_type = typename Contender::template map<Key, std::uint64_t>;
      const auto map = turn_over<map_type>(into, Contender::name, keys);
      const auto cell = [&](popularity which, unsigned reads, int threads) {
        if (for_one_thread<map_type>() && threads != 1) return;
        if (entries == large && reads < 100 && copies_all(Contender::name)) return;
        mix_cell(into, map,
                 fmt::format("{} popularity={} reads={} threads={}", map_of, name_of(which), reads, threads),
                 threads, chosen_.seconds, work(which, reads));
      };
      if (chosen_.quick) {
        for (const int threads : {1, 4}) cell(popularity::uniform, 95, threads);
        return;
      }
      for (const unsigned reads : {100U, 99U, 95U, 90U, 50U, 0U}) cell(popularity::uniform, reads, 4);
      for (const unsigned reads : {100U, 95U, 50U}) {
        for (const popularity which : {popularity::zipf, popularity::hot}) cell(which, reads, 4);
        cell(popularity::uniform, reads, 1);
      }
      for (const int threads : {2, 8}) cell(popularity::uniform, 95, threads);
    });
  }

 private:
  const settings& chosen_;
};

// The geometric mean over the points, round by round, of the ratio to the reference.
void tell_means(const results& measured, const std::string& title, auto wanted) {
  struct mean {
    std::string contender;
    paired_ratio ratio;
    std::size_t points = 0;
  };
  std::vector<mean> means;
  for (const std::string& contender : measured.contenders()) {
    std::vector<double> logarithms;
    std::size_t points = 0;
    for (const std::string& point : measured.points()) {
      if (!wanted(point)) continue;
      const auto& values = measured.rounds_of(contender, point, "ops_per_s");
      const auto& references = measured.rounds_of(reference, point, "ops_per_s");
      if (values.empty() || values.size() != references.size()) continue;
      logarithms.resize(values.size());
      ++points;
      for (std::size_t round = 0; round < values.size(); ++round)
        logarithms[round] += std::log(values[round] / references[round]);
    }
    if (points == 0) continue;
    for (double& each : logarithms) each = std::exp(each / static_cast<double>(points));
    means.push_back({contender, summarise(logarithms), points});
  }
  if (means.empty()) return;
  std::ranges::sort(means, [](const mean& a, const mean& b) { return a.ratio.median > b.ratio.median; });
  fmt::print("\n{}: geometric mean of the ratios to {}\n", title, reference);
  for (const mean& each : means)
    fmt::print("  {:<22} {:6.2f} [{:.2f}, {:.2f}]  of {} mixes\n", each.contender, each.ratio.median,
               each.ratio.low, each.ratio.high, each.points);
}

void tell_ratio(const std::string& contender, const paired_ratio& ratio) {
  fmt::print("  {:<22} {:6.2f} [{:.2f}, {:.2f}]\n", contender, ratio.median, ratio.low, ratio.high);
}

// What reading costs where nothing has to be kept apart: the map without any synchronisation has no more than one thread.
void tell_floor(const results& measured) {
  for (const std::string& point : measured.points()) {
    if (!point.ends_with("reads=100 threads=1") || !measured.has(floor_map, point, "ops_per_s")) continue;
    fmt::print("\n{}: time over that of {}\n", point, floor_map);
    for (const std::string& contender : measured.contenders()) {
      if (contender == floor_map || !measured.has(contender, point, "ops_per_s")) continue;
      tell_ratio(contender, measured.ratio(floor_map, contender, point, "ops_per_s"));
    }
  }
}

// What four threads look up in the time of one, round by round.
void tell_scaling(const results& measured) {
  constexpr std::string_view on_one = "reads=100 threads=1";
  for (const std::string& one : measured.points()) {
    if (!one.ends_with(on_one)) continue;
    const std::string four = one.substr(0, one.size() - 1) + "4";
    fmt::print("\n{}, lookups only: four threads over one\n", one.substr(0, one.size() - on_one.size() - 1));
    for (const std::string& contender : measured.contenders()) {
      const auto& alone = measured.rounds_of(contender, one, "ops_per_s");
      const auto& together = measured.rounds_of(contender, four, "ops_per_s");
      if (alone.empty() || together.empty()) continue;
      tell_ratio(contender, summarise_ratios(together, alone));
    }
  }
}

bool is_on_four(const std::string& point) { return point.ends_with("threads=4"); }

// The fastest of those of `whose` at a point; empty if there is none.
std::string fastest(const results& measured, const std::string& point, origin whose) {
  std::string best;
  double most = 0;
  for_each_contender<contenders>([&]<class Contender>() {
    if (Contender::from != whose || !measured.has(Contender::name, point, "ops_per_s")) return;
    const double speed = measured.value(Contender::name, point, "ops_per_s").median;
    if (speed <= most) return;
    most = speed;
    best = Contender::name;
  });
  return best;
}

// The fastest map of ours against the fastest that comes in a package.
void tell_best(const results& measured) {
  std::size_t points = 0;
  std::size_t near = 0;
  std::string lines;
  for (const std::string& point : measured.points()) {
    if (!is_on_four(point)) continue;
    const std::string library = fastest(measured, point, origin::library);
    const std::string remedy = fastest(measured, point, origin::remedy);
    if (library.empty() || remedy.empty()) continue;
    const paired_ratio over = measured.ratio(remedy, library, point, "ops_per_s");
    ++points;
    near += over.median >= near_enough ? 1U : 0U;
    lines += fmt::format("  {:<62} {:5.2f} [{:.2f}, {:.2f}]  {} over {}\n", point, over.median, over.low,
                         over.high, remedy, library);
  }
  if (points == 0) return;
  fmt::print("\n4 threads, the fastest remedy over the fastest library: at least {} in {} of {} mixes\n{}",
             near_enough, near, points, lines);
}

void tell(const results& measured) {
  measured.print("ops_per_s", "Mops/s", 1e6, reference);
  const auto hot = [](const std::string& point) { return point.find("popularity=hot") != std::string::npos; };
  const auto at_least_99 = [](const std::string& point) {
    return point.find("reads=100") != std::string::npos || point.find("reads=99") != std::string::npos;
  };
  tell_means(measured, "4 threads, all but one hot key",
             [&](const std::string& point) { return is_on_four(point) && !hot(point); });
  tell_means(measured, "4 threads, 99 % reads and more, all but one hot key", [&](const std::string& point) {
    return is_on_four(point) && !hot(point) && at_least_99(point);
  });
  tell_means(measured, "4 threads, one hot key",
             [&](const std::string& point) { return is_on_four(point) && hot(point); });
  tell_best(measured);
  tell_floor(measured);
  tell_scaling(measured);
  fmt::print(
      "\nA map that copies all entries for a write (copy_on_write_map, cas_snapshot_map) has no mix with "
      "writes at {} "
      "entries.\n",
      large);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string uniform = "keys=uint64 entries=1000 popularity=uniform";
  return answer(
      argc, argv,
      {.name = "mixes_bench",
       .asked = "What does each map do with which mix of reads and writes?",
       .plan =
           [](rounds& into, const settings& chosen) {
             for (const std::size_t entries : {std::size_t{1000}, large}) {
               if (chosen.quick && entries == large) continue;
               mixes<std::uint64_t>(chosen).plan(into, entries);
               mixes<std::string>(chosen).plan(into, entries);
             }
           },
       .tell = tell,
       .plots = {{.file = "mixes_reads",
                  .title = "Throughput by share of reads: 4 threads, 1,000 entries, uniform uint64 keys",
                  .axis = "reads",
                  .axis_title = "reads, %",
                  .logarithmic = false,
                  .where = uniform + " threads=4",
                  .quantity = "ops_per_s",
                  .unit = "Mops/s",
                  .scale = 1e6},
                 {.file = "mixes_threads",
                  .title = "Throughput by threads: 95 % reads, 1,000 entries, uniform uint64 keys",
                  .axis = "threads",
                  .axis_title = "threads",
                  .where = uniform + " reads=95",
                  .quantity = "ops_per_s",
                  .unit = "Mops/s",
                  .scale = 1e6}}});
}
