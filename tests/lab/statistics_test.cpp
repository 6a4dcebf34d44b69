#include "lab/statistics.hpp"

#include <gtest/gtest.h>

namespace racelab::lab {
namespace {

// Newcombe, Statistics in Medicine 17 (1998), table I, method 3 (Wilson's score without continuity
// correction).
TEST(Wilson95, AgreesWithPublishedIntervals) {
  struct published {
    std::size_t failures, trials;
    double low, high;
  };
  for (const published& row : {published{81, 263, 0.2553, 0.3662}, published{15, 148, 0.0624, 0.1605},
                               published{0, 20, 0.0000, 0.1611}, published{1, 29, 0.0061, 0.1718}}) {
    const interval found = wilson95(row.failures, row.trials);
    EXPECT_NEAR(found.low, row.low, 0.00005) << row.failures << "/" << row.trials;
    EXPECT_NEAR(found.high, row.high, 0.00005) << row.failures << "/" << row.trials;
  }
}

TEST(Wilson95, IsSymmetricAndEndsAtTheEnds) {
  EXPECT_EQ(wilson95(0, 100).low, 0);
  EXPECT_EQ(wilson95(100, 100).high, 1);
  EXPECT_DOUBLE_EQ(wilson95(100, 100).low, 1 - wilson95(0, 100).high);
  EXPECT_DOUBLE_EQ(wilson95(30, 100).low, 1 - wilson95(70, 100).high);
}

TEST(Wilson95, SaysNothingWithoutTrials) {
  EXPECT_EQ(wilson95(0, 0).low, 0);
  EXPECT_EQ(wilson95(0, 0).high, 1);
}

TEST(Median, IsTheMiddleOrTheMeanOfTheMiddleTwo) {
  EXPECT_EQ(median({}), std::nullopt);
  EXPECT_EQ(median({7}), 7);
  EXPECT_EQ(median({9, 1, 5}), 5);
  EXPECT_EQ(median({9, 1, 5, 2}), 3.5);
  EXPECT_EQ(median({2, 2, 2, 100}), 2);
}

}  // namespace
}  // namespace racelab::lab
