#include "sanitizers/verdict/delay.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace {

using racelab::verdict::delay_point;
using racelab::verdict::fit;

// Points on a line with something of a wobble, which is not random so that the test is not.
std::vector<delay_point> points(std::size_t count, double slope, double intercept, double wobble) {
  std::vector<delay_point> all;
  for (std::size_t i = 0; i < count; ++i) {
    const double stalled = 2.0 * static_cast<double>(i + 1);
    all.push_back({.stalled_ms = stalled,
                   .came_ms = intercept + slope * stalled + wobble * std::sin(static_cast<double>(7 * i))});
  }
  return all;
}

TEST(Delay, ExactLineIsFound) {
  const auto line = fit(points(20, 1.0, 3.0, 0));
  ASSERT_TRUE(line);
  EXPECT_NEAR(line->slope, 1.0, 1e-9);
  EXPECT_NEAR(line->intercept_ms, 3.0, 1e-9);
  EXPECT_NEAR(line->low, 1.0, 1e-6);
  EXPECT_NEAR(line->high, 1.0, 1e-6);
  EXPECT_TRUE(line->waits());
}

// By hand: the ten slopes between the points are 1.6, 1.8, 1.9, 1.95, 1.95, 2.0, 2.05, 2.0667, 2.3 and 2.3; Kendall's S has the
// standard error sqrt(5 * 4 * 15 / 18) = 4.08, so the interval takes in 8.0 of the ten ranks, which leaves out none.
TEST(Delay, SlopeIsTheMedianAndItsIntervalGoesByRanks) {
  const auto line = fit({{1, 2.1}, {2, 3.9}, {3, 6.2}, {4, 7.8}, {5, 10.1}});
  ASSERT_TRUE(line);
  EXPECT_NEAR(line->slope, 1.975, 1e-9);
  EXPECT_NEAR(line->low, 1.6, 1e-9);
  EXPECT_NEAR(line->high, 2.3, 1e-9);
}

TEST(Delay, FewOutliersDoNotMatter) {
  std::vector<delay_point> some = points(24, 1.0, 0.2, 0.1);
  for (const std::size_t late : {3U, 11U, 12U, 20U}) some[late].came_ms *= 2;
  const auto line = fit(some);
  ASSERT_TRUE(line);
  EXPECT_TRUE(line->waits()) << line->low << " " << line->high;
}

TEST(Delay, AccessThatComesWheneverItLikesDoesNotWait) {
  const auto line = fit(points(24, 0.0, 5.0, 1));
  ASSERT_TRUE(line);
  EXPECT_FALSE(line->waits());
}

TEST(Delay, FewPointsProveNothing) {
  const auto line = fit(points(19, 1.0, 0.1, 0));
  ASSERT_TRUE(line);
  EXPECT_FALSE(line->waits());
}

TEST(Delay, ScatteredPointsProveNothing) {
  const auto line = fit(points(24, 1.0, 5.0, 60));
  ASSERT_TRUE(line);
  EXPECT_FALSE(line->waits());
}

TEST(Delay, ScatteredPointsWithASlopeSeemToWait) {
  const auto line = fit(points(24, 1.0, 5.0, 15));
  ASSERT_TRUE(line);
  EXPECT_FALSE(line->waits()) << line->low << " " << line->high;
  EXPECT_TRUE(line->seems_to_wait()) << line->slope << " " << line->low;
}

TEST(Delay, NoSlopeDoesNotSeemToWait) {
  EXPECT_FALSE(fit(points(24, 0.0, 5.0, 1))->seems_to_wait());
  EXPECT_FALSE(fit(points(24, 1.0, 5.0, 200))->seems_to_wait());  // of 0 as well as of 1
  EXPECT_FALSE(fit(points(7, 1.0, 0.1, 0))->seems_to_wait());
  EXPECT_TRUE(fit(points(8, 1.0, 0.1, 0))->seems_to_wait());
}

TEST(Delay, NoLineThroughOneTime) {
  EXPECT_FALSE(fit({{1, 2}, {1, 3}, {1, 4}}));
  EXPECT_FALSE(fit({{1, 2}, {2, 3}}));
  EXPECT_FALSE(fit({}));
}

}  // namespace
