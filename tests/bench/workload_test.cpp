#include "bench/support/workload.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

namespace {

using namespace racelab::bench;

std::map<std::string, int> counts_of(const workload<std::string>& work, int steps) {
  std::map<std::string, int> counts;
  for (int i = 0; i < steps; ++i) ++counts[work.key_of(work[static_cast<std::size_t>(i)])];
  return counts;
}

TEST(Workload, HasEveryKeyOnce) {
  const auto keys = make_keys<std::string>(100);
  EXPECT_EQ(std::set<std::string>(keys->begin(), keys->end()).size(), 100U);
  EXPECT_TRUE(std::ranges::find(*keys, "key-99") != keys->end());
  EXPECT_FALSE(std::ranges::is_sorted(*keys));
}

TEST(Workload, WritesAsOftenAsItIsTold) {
  for (const double reads : {100.0, 99.9, 50.0, 0.0}) {
    const workload<std::uint64_t> work(make_keys<std::uint64_t>(1000), popularity::uniform, reads);
    int writes = 0;
    for (std::size_t i = 0; i < 65'536; ++i) writes += static_cast<int>(work[i].writes);
    EXPECT_NEAR(writes / 655.36, 100 - reads, 1) << reads;
    if (reads == 100) {
      EXPECT_EQ(writes, 0);
    }
  }
}

// Of 100 keys the first has 1 / (1 + 2^-0.99 + … + 100^-0.99) = 18.9 % of the operations under Zipf's law of 0.99.
TEST(Workload, PrefersKeysAsItsPopularityHasIt) {
  const auto most_wanted = [](popularity which) {
    const auto counts = counts_of(workload<std::string>(make_keys<std::string>(100), which, 50), 65'536);
    int most = 0;
    for (const auto& [key, count] : counts) most = std::max(most, count);
    return most / 655.36;
  };
  EXPECT_NEAR(most_wanted(popularity::uniform), 1, 0.3);
  EXPECT_NEAR(most_wanted(popularity::zipf), 18.9, 0.8);
  EXPECT_EQ(most_wanted(popularity::hot), 100);
}

TEST(Workload, IsTheSameEachTime) {
  const workload<std::uint64_t> first(make_keys<std::uint64_t>(50), popularity::zipf, 90);
  const workload<std::uint64_t> second(make_keys<std::uint64_t>(50), popularity::zipf, 90);
  for (std::size_t i = 0; i < 1000; ++i) {
    EXPECT_EQ(first.key_of(first[i]), second.key_of(second[i]));
    EXPECT_EQ(first[i].writes, second[i].writes);
  }
}

}  // namespace
