// The break-even: from which share of writes on does each read-optimised map lose to a plain lock, or to shards?
#include <fmt/format.h>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "bench/peers/mutex_shards.hpp"
#include "bench/support/contender.hpp"
#include "bench/support/program.hpp"
#include "fixes/bucket_snapshot_map.hpp"
#include "fixes/cas_snapshot_map.hpp"
#include "fixes/copy_on_write_map.hpp"
#include "fixes/hybrid_map.hpp"
#include "fixes/mutex_map.hpp"
#include "fixes/rw_lock_map.hpp"
#include "fixes/sync_map.hpp"
#include "fixes/tombstone_map.hpp"

namespace {

using namespace racelab;
using namespace racelab::bench;
using key = std::uint64_t;

// % of the operations.
constexpr std::array shares = {0.0, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0};
constexpr std::array sizes = {std::size_t{1000}, std::size_t{100'000}};
constexpr std::array plain = {"mutex_map", "mutex_shards"};

std::string point_of(std::size_t entries, double share) {
  return fmt::format("entries={} writes={}", entries, share);
}

void plan(rounds& into, const settings& chosen) {
  for (const std::size_t entries : sizes) {
    if (chosen.quick && entries > 1000) continue;
    const auto keys = make_keys<key>(entries);
    std::vector<std::shared_ptr<const workload<key>>> works;
    for (const double share : shares)
      works.push_back(std::make_shared<const workload<key>>(keys, popularity::uniform, 100 - share));
    const auto contender = [&]<class Map>(const char* name, std::type_identity<Map>) {
      const auto map = turn_over<Map>(into, name, keys);
      for (std::size_t i = 0; i < shares.size(); ++i)
        if (!chosen.quick || i % 4 == 0)
          mix_cell(into, map, point_of(entries, shares[i]), 4, chosen.seconds, works[i]);
    };
    contender(plain[0], std::type_identity<mutex_map<key, std::uint64_t>>());
    contender(plain[1], std::type_identity<mutex_shards<key, std::uint64_t>>());
    contender("rw_lock_map", std::type_identity<rw_lock_map<key, std::uint64_t>>());
    contender("sync_map", std::type_identity<sync_map<key, std::uint64_t>>());
    contender("copy_on_write_map", std::type_identity<copy_on_write_map<key, std::uint64_t>>());
    contender("cas_snapshot_map", std::type_identity<cas_snapshot_map<key, std::uint64_t>>());
    contender("hybrid_map", std::type_identity<hybrid_map<key, std::uint64_t>>());
    contender("bucket_snapshot_map", std::type_identity<bucket_snapshot_map<key, std::uint64_t>>());
    contender("tombstone_map", std::type_identity<tombstone_map<key, std::uint64_t>>());
  }
}

// Where the ratio to `reference` falls below 1: between which shares, and in between by a straight line over their logarithms.
std::string break_even(const results& measured, const std::string& contender, const std::string& reference,
                       std::size_t entries) {
  double before = 0;
  double ratio_before = 0;
  for (const double share : shares) {
    const auto point = point_of(entries, share);
    if (!measured.has(contender, point, "ops_per_s") || !measured.has(reference, point, "ops_per_s"))
      continue;
    const double ratio = measured.ratio(contender, reference, point, "ops_per_s").median;
    if (ratio < 1) {
      if (ratio_before == 0) return fmt::format("always behind ({:.2f} without writes)", ratio);
      if (before == 0) return fmt::format("below {} %", share);
      const double part = std::log(ratio_before) / (std::log(ratio_before) - std::log(ratio));
      return fmt::format("{:.2g} % (between {} and {} %)", before * std::pow(share / before, part), before,
                         share);
    }
    before = share;
    ratio_before = ratio;
  }
  return fmt::format("never ({:.2f} times as fast at {} %)", ratio_before, before);
}

void tell(const results& measured) {
  measured.print("ops_per_s", "Mops/s", 1e6, plain[1]);
  for (const std::size_t entries : sizes)
    for (const char* const reference : plain) {
      bool headed = false;
      for (const std::string& contender : measured.contenders()) {
        if (contender == plain[0] || contender == plain[1]) continue;
        if (!measured.has(contender, point_of(entries, 0), "ops_per_s")) continue;
        if (!headed)
          fmt::print("\n{} entries, 4 threads: loses to {} from this share of writes on\n", entries,
                     reference);
        headed = true;
        fmt::print("  {:<22} {}\n", contender, break_even(measured, contender, reference, entries));
      }
    }
}

}  // namespace

int main(int argc, char** argv) {
  const auto drawn = [](const char* file, const char* entries) {
    return plot{.file = file,
                .title = fmt::format("Where reading is paid for: 4 threads, {} entries", entries),
                .axis = "writes",
                .axis_title = "writes, % of the operations",
                .where = fmt::format("entries={}", entries),
                .quantity = "ops_per_s",
                .unit = "throughput over mutex_shards",
                .over = "mutex_shards"};
  };
  return answer(
      argc, argv,
      {.name = "break_even_bench",
       .asked =
           "From which share of writes on does each read-optimised map lose to a plain lock, or to shards?",
       .plan = plan,
       .tell = tell,
       .plots = {drawn("break_even_1000", "1000"), drawn("break_even_100000", "100000")}});
}
