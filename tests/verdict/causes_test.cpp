#include "sanitizers/verdict/causes.hpp"

#include <gtest/gtest.h>

namespace {

using racelab::verdict::runs_to_vanish;

// 1 / C(6 + m, 6), 6 / C(6 + m, 5), 20 / C(6 + m, 3), 15 / C(6 + m, 2), 6 / (6 + m).
TEST(RunsToVanish, AreMoreTheLessOftenAReportWasSeen) {
  EXPECT_EQ(runs_to_vanish(6, 6), 4U);
  EXPECT_EQ(runs_to_vanish(5, 6), 6U);
  EXPECT_EQ(runs_to_vanish(3, 6), 18U);
  EXPECT_EQ(runs_to_vanish(2, 6), 50U);
  EXPECT_EQ(runs_to_vanish(1, 6), 595U);
}

TEST(RunsToVanish, CanNotBeMadeOfWhatWasNeverSeen) { EXPECT_GT(runs_to_vanish(0, 6), 1'000'000U); }

}  // namespace
