#include "bench/support/paired.hpp"

#include <gtest/gtest.h>

namespace {

using namespace racelab::bench;

TEST(Paired, TakesTheMiddleAsTheMedian) {
  EXPECT_EQ(median_of({3, 1, 2}), 2);
  EXPECT_EQ(median_of({4, 1, 2, 3}), 2.5);
  EXPECT_EQ(median_of({7}), 7);
}

// Ranks from tables of the sign test at 5 % (two-sided).
TEST(Paired, TakesTheRanksThatTablesGive) {
  EXPECT_EQ(interval_rank(6), 1U);
  EXPECT_EQ(interval_rank(10), 2U);
  EXPECT_EQ(interval_rank(20), 6U);
  EXPECT_EQ(interval_rank(25), 8U);
  EXPECT_EQ(interval_rank(100), 40U);
}

TEST(Paired, FallsBackToTheWholeRangeWhenThereAreFewRatios) {
  EXPECT_EQ(interval_rank(1), 1U);
  EXPECT_EQ(interval_rank(5), 1U);
  const auto ratio = summarise({3, 1, 2});
  EXPECT_EQ(ratio.low, 1);
  EXPECT_EQ(ratio.high, 3);
}

TEST(Paired, GivesMedianAndInterval) {
  const auto ratio = summarise({10, 9, 8, 7, 6, 5, 4, 3, 2, 1});
  EXPECT_EQ(ratio.median, 5.5);
  EXPECT_EQ(ratio.low, 2);
  EXPECT_EQ(ratio.high, 9);
}

TEST(Paired, CallsBothSidesEquallyOften) {
  int a = 0;
  int b = 0;
  const auto ratio = run([&] { ++a; }, [&] { ++b; }, 11);
  EXPECT_EQ(a, 12);
  EXPECT_EQ(b, 12);
  EXPECT_LE(ratio.low, ratio.median);
  EXPECT_LE(ratio.median, ratio.high);
}

}  // namespace
