// Read-mostly: what does a read-write lock gain over a mutex, on one thread and on many?
#include <fmt/format.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bench/peers/bare_unordered_map.hpp"
#include "bench/peers/mutex_shards.hpp"
#include "bench/support/contender.hpp"
#include "bench/support/program.hpp"
#include "fixes/mutex_map.hpp"
#include "fixes/rw_lock_map.hpp"

namespace {

using namespace racelab;
using namespace racelab::bench;

constexpr const char* reference = "mutex_map";

void plan(rounds& into, const settings& chosen) {
  const auto keys = make_keys<std::uint64_t>(1000);
  const auto shares = chosen.quick ? std::vector{100U} : std::vector{100U, 99U, 95U, 90U, 50U};
  const auto threads = chosen.quick ? std::vector{1, 2} : std::vector{1, 2, 4, 8};
  std::vector<std::shared_ptr<const workload<std::uint64_t>>> works;
  for (const unsigned reads : shares)
    works.push_back(std::make_shared<const workload<std::uint64_t>>(keys, popularity::uniform, reads));
  const auto contender = [&]<class Map>(const char* name, std::type_identity<Map>) {
    const auto map = turn_over<Map>(into, name, keys);
    for (std::size_t i = 0; i < shares.size(); ++i)
      for (const int n : threads)
        if (n == 1 || !for_one_thread<Map>())
          mix_cell(into, map, fmt::format("reads={} threads={}", shares[i], n), n, chosen.seconds, works[i]);
  };
  contender(reference, std::type_identity<mutex_map<std::uint64_t, std::uint64_t>>());
  contender("rw_lock_map", std::type_identity<rw_lock_map<std::uint64_t, std::uint64_t>>());
  contender("mutex_shards", std::type_identity<mutex_shards<std::uint64_t, std::uint64_t>>());
  contender("bare_unordered_map", std::type_identity<bare_unordered_map<std::uint64_t, std::uint64_t>>());
}

void tell(const results& measured) {
  measured.print("ops_per_s", "Mops/s", 1e6, reference);
  // A lock that is shared by readers has moods: the spread of a cell's rounds says more than its median.
  fmt::print("\nrw_lock_map, slowest and fastest round, Mops/s\n");
  for (const std::string& point : measured.points()) {
    const auto& values = measured.rounds_of("rw_lock_map", point, "ops_per_s");
    if (values.empty()) continue;
    const auto [least, most] = std::ranges::minmax(values);
    fmt::print("  {:<22} {:7.2f} {:7.2f}\n", point, least / 1e6, most / 1e6);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const auto drawn = [](const char* file, const char* reads) {
    return plot{.file = file,
                .title = fmt::format("A read-write lock and a mutex: {} % reads, 1,000 entries", reads),
                .axis = "threads",
                .axis_title = "threads",
                .where = fmt::format("reads={}", reads),
                .quantity = "ops_per_s",
                .unit = "Mops/s",
                .scale = 1e6};
  };
  return answer(
      argc, argv,
      {.name = "rw_lock_bench",
       .asked = "Read-mostly: what does a read-write lock gain over a mutex, on one thread and on many?",
       .plan = plan,
       .tell = tell,
       .plots = {drawn("rw_lock_reads_100", "100"), drawn("rw_lock_reads_95", "95")}});
}
