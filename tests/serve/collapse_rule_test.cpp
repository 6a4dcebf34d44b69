// The rule on numbers as a server gives them, a second each.
#include "serve/collapse_rule.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <utility>
#include <vector>

namespace {

using namespace racelab::serve;

load_sample second(std::uint64_t operations, double processors) {
  return {.seconds = 1, .operations = operations, .cpu_seconds = processors};
}

/// Which of the seconds showed a collapse.
std::vector<std::size_t> collapses(collapse_rule& rule,
                                   const std::vector<std::pair<std::uint64_t, double>>& seconds) {
  std::vector<std::size_t> seen;
  for (std::size_t i = 0; i < seconds.size(); ++i)
    if (rule.add(second(seconds[i].first, seconds[i].second))) seen.push_back(i);
  return seen;
}

using seen_at = std::vector<std::size_t>;

TEST(CollapseRule, SeesThroughputFallWhileCpuUseRises) {
  collapse_rule rule({.processors = 8});
  EXPECT_EQ(collapses(rule, {{40'000, 2.1}, {41'000, 2.2}, {12'000, 5.9}, {11'000, 6.4}}), seen_at({3}));
}

TEST(CollapseRule, TellsBothSidesInNumbers) {
  collapse_rule rule({.processors = 8, .in_a_row = 1});
  rule.add(second(40'000, 2.1));
  const auto seen = rule.add({.seconds = 2, .operations = 20'000, .cpu_seconds = 12});
  ASSERT_TRUE(seen);
  EXPECT_DOUBLE_EQ(seen->before.throughput(), 40'000);
  EXPECT_DOUBLE_EQ(seen->now.throughput(), 10'000);
  EXPECT_DOUBLE_EQ(seen->now.processors(), 6);
}

TEST(CollapseRule, LessLoadIsNone) {
  collapse_rule rule({.processors = 8});
  EXPECT_EQ(collapses(rule, {{40'000, 2.1}, {41'000, 2.2}, {5'000, 0.4}, {0, 0.01}, {0, 0.01}}), seen_at());
}

TEST(CollapseRule, AMachineThatIsBusyElsewhereIsNone) {
  collapse_rule rule({.processors = 2});
  EXPECT_EQ(collapses(rule, {{40'000, 1.9}, {41'000, 1.9}, {15'000, 0.8}, {14'000, 0.7}}), seen_at());
}

TEST(CollapseRule, MoreLoadIsNone) {
  collapse_rule rule({.processors = 8});
  EXPECT_EQ(collapses(rule, {{4'000, 0.3}, {20'000, 1.2}, {60'000, 5.9}, {58'000, 6.2}}), seen_at());
}

TEST(CollapseRule, OneBadSecondIsNone) {
  collapse_rule rule({.processors = 8});
  EXPECT_EQ(collapses(rule, {{40'000, 2}, {10'000, 5}, {40'000, 2}, {10'000, 5}, {40'000, 2}}), seen_at());
}

TEST(CollapseRule, WhereAllProcessorsAreBusyAlreadyTheirUseNeedNotRise) {
  collapse_rule rule({.processors = 2});
  EXPECT_EQ(collapses(rule, {{40'000, 1.95}, {9'000, 1.97}, {9'000, 1.96}}), seen_at({2}));
}

TEST(CollapseRule, AServerThatDoesNextToNothingHasNone) {
  collapse_rule rule({.processors = 8});
  EXPECT_EQ(collapses(rule, {{90, 0.01}, {3, 0.5}, {2, 0.6}}), seen_at());
}

TEST(CollapseRule, IsToldOnceAndAgainAfterARecovery) {
  collapse_rule rule({.processors = 8});
  EXPECT_EQ(collapses(rule, {{40'000, 2}, {9'000, 6}, {9'000, 6}, {9'000, 6}, {9'000, 6}, {9'000, 6}}),
            seen_at({2}));
  EXPECT_EQ(collapses(rule, {{40'000, 2}, {9'000, 6}, {9'000, 6}}), seen_at({2}));
}

TEST(CollapseRule, WhatIsLongAgoDoesNotCount) {
  collapse_rule rule({.processors = 8, .recent = 3});
  // A slow decline by the hour: each is compared with the last three alone.
  EXPECT_EQ(collapses(rule, {{40'000, 2}, {30'000, 2}, {24'000, 2}, {22'000, 2}, {17'000, 3}, {16'000, 3}}),
            seen_at());
}

}  // namespace
