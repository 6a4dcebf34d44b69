// Shards: how many are enough, what does it gain to split a hot one, and what about one hot key?
//
// `shards=N` is sharded_map that never splits. The hot shard: nine of ten operations go to keys that one of four shards has; with
// splits allowed, that shard is split in four before the cell is timed (the warm-up round and the filling do that). The hot key:
// all operations go to one key, which no split takes apart.
#include <fmt/format.h>

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "bench/support/contender.hpp"
#include "bench/support/program.hpp"
#include "fixes/mutex_map.hpp"
#include "fixes/sharded_map.hpp"

namespace {

using namespace racelab;
using namespace racelab::bench;

using key = std::uint64_t;
using sharded = sharded_map<key, std::uint64_t>;

constexpr int threads = 4;

sharded::options shards_of(unsigned bits, bool splits) {
  sharded::options chosen;
  chosen.shard_bits = bits;
  chosen.most_shards = std::size_t{1} << std::max(bits, 6U);
  if (!splits) {
    chosen.hot_share = 2;  // no share is as large
    chosen.long_wait = std::chrono::hours(1);
  }
  return chosen;
}

// Keys nine tenths of which are in the first of four shards.
shared_keys<key> crowded_keys(std::size_t count) {
  std::vector<key> keys;
  for (key each = 0; keys.size() < count; ++each) {
    const bool first = (mixed_hash(std::hash<key>()(each)) & 3U) == 0;
    if (first == (keys.size() % 10 != 0)) keys.push_back(each);
  }
  return std::make_shared<const std::vector<key>>(std::move(keys));
}

void plan(rounds& into, const settings& chosen) {
  const auto keys = make_keys<key>(chosen.quick ? 1000 : 100'000);
  const auto add = [&](const std::string& name, const shared_keys<key>& of, popularity which,
                       const sharded::options& how, const std::string& point) {
    const auto map = turn_over<sharded>(into, name, of, [how] { return std::make_unique<sharded>(how); });
    mix_cell(into, map, point, threads, chosen.seconds, std::make_shared<const workload<key>>(of, which, 50));
  };
  for (unsigned bits = 0; bits <= (chosen.quick ? 2U : 10U); bits += 2) {
    const auto point = fmt::format("shards={}", std::size_t{1} << bits);
    add("uniform", keys, popularity::uniform, shards_of(bits, false), point);
    add("Zipf 0.99", keys, popularity::zipf, shards_of(bits, false), point);
    add("one hot key", keys, popularity::hot, shards_of(bits, false), point);
  }
  const auto crowded = crowded_keys(chosen.quick ? 1000 : 100'000);
  add("never split", crowded, popularity::uniform, shards_of(2, false), "hot=shard");
  add("split when hot", crowded, popularity::uniform, shards_of(2, true), "hot=shard");
  add("never split", keys, popularity::hot, shards_of(2, false), "hot=key");
  add("split when hot", keys, popularity::hot, shards_of(2, true), "hot=key");
}

void tell(const results& measured) {
  const auto value = [&](const std::string& contender, const std::string& point) {
    if (!measured.has(contender, point, "ops_per_s")) return std::string("-");
    const paired_ratio found = measured.value(contender, point, "ops_per_s");
    return fmt::format("{:7.2f} [{:.2f}, {:.2f}]", found.median / 1e6, found.low / 1e6, found.high / 1e6);
  };
  fmt::print("\n{} threads, half of the operations write; Mops/s\n", threads);
  for (const std::string& point : measured.points()) {
    if (!point.starts_with("shards=")) continue;
    fmt::print("  {:<12}", point);
    for (const char* const contender : {"uniform", "Zipf 0.99", "one hot key"})
      fmt::print("  {} {}", contender, value(contender, point));
    fmt::print("\n");
  }
  for (const char* const point : {"hot=shard", "hot=key"}) {
    if (!measured.has("split when hot", point, "ops_per_s") ||
        !measured.has("never split", point, "ops_per_s"))
      continue;
    const paired_ratio gain = measured.ratio("split when hot", "never split", point, "ops_per_s");
    fmt::print("  {:<12}  never split {}  split when hot {}  ratio {:.2f} [{:.2f}, {:.2f}]\n", point,
               value("never split", point), value("split when hot", point), gain.median, gain.low, gain.high);
  }
}

}  // namespace

int main(int argc, char** argv) {
  return answer(
      argc, argv,
      {.name = "shards_bench",
       .asked =
           "Shards: how many are enough, what does it gain to split a hot one, and what about one hot key?",
       .plan = plan,
       .tell = tell,
       .plots = {{.file = "shards",
                  .title = "Throughput by the number of shards: 4 threads, half of the operations write",
                  .axis = "shards",
                  .axis_title = "shards",
                  .quantity = "ops_per_s",
                  .unit = "Mops/s",
                  .scale = 1e6},
                 {.file = "shards_hot_shard",
                  .title = "A hot shard that is split, and one that never is",
                  .where = "hot=shard",
                  .quantity = "ops_per_s",
                  .unit = "Mops/s",
                  .scale = 1e6},
                 {.file = "shards_hot_key",
                  .title = "A hot key, whose shard is split, and one whose is not",
                  .where = "hot=key",
                  .quantity = "ops_per_s",
                  .unit = "Mops/s",
                  .scale = 1e6}}});
}
