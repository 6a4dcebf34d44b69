#include "sanitizers/verdict/runner.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace {

using racelab::verdict::fitting_plan;

TEST(FittingPlan, HasEachLineOnce) {
  EXPECT_EQ(fitting_plan({"stall -+0x10 us=1", "observe -+0x10", "observe -+0x20", "observe -+0x10"}),
            (std::vector<std::string>{"stall -+0x10 us=1", "observe -+0x10", "observe -+0x20"}));
}

// A line of a header that is inlined in a hundred places has a hundred sites.
TEST(FittingPlan, HasRoomForSixtyFourSites) {
  std::vector<std::string> lines{"enter us=5", "stall /a path/with blanks.so+0x1 us=7 limit=4"};
  for (int i = 0; i < 100; ++i) lines.push_back("observe -+0x" + std::to_string(i));
  lines.emplace_back("observe /a path/with blanks.so+0x1");
  const std::vector<std::string> fitting = fitting_plan(lines);
  ASSERT_EQ(fitting.size(), 1U + 1U + 63U + 1U);
  EXPECT_EQ(fitting[0], lines[0]);
  EXPECT_EQ(fitting[1], lines[1]);
  EXPECT_EQ(fitting.back(), lines.back()) << "its site has room already";
}

TEST(FittingPlan, HasRoomForSoManyRules) {
  std::vector<std::string> lines;
  for (int i = 0; i < 300; ++i) lines.push_back("stall -+0x10 us=1 visit=" + std::to_string(i));
  EXPECT_EQ(fitting_plan(lines).size(), 256U);
}

}  // namespace
