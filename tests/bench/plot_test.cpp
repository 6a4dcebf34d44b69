#include "bench/support/plot.hpp"

#include <gtest/gtest.h>

#include <string>

namespace {

using namespace racelab::bench;

results two_contenders() {
  results measured("question");
  for (int round = 0; round < 6; ++round)
    for (const int threads : {1, 2, 8}) {
      measured.add("slow", "reads=95 threads=" + std::to_string(threads), "ops_per_s", 2e6);
      measured.add("fast", "reads=95 threads=" + std::to_string(threads), "ops_per_s", 2e6 * threads);
      measured.add("slow", "reads=50 threads=" + std::to_string(threads), "ops_per_s", 7e6);
    }
  return measured;
}

plot by_threads() {
  return {.file = "file",
          .title = "A title with \"quotes\"",
          .axis = "threads",
          .axis_title = "threads",
          .where = "reads=95",
          .quantity = "ops_per_s",
          .unit = "Mops/s",
          .scale = 1e6};
}

TEST(Plot, HasACurveForEachContenderOfItsPoints) {
  const std::string script = script_of(by_threads(), two_contenders());
  EXPECT_NE(script.find("1 2 2 2\n2 2 2 2\n8 2 2 2\nEOD"), std::string::npos) << script;
  EXPECT_NE(script.find("1 2 2 2\n2 4 4 4\n8 16 16 16\nEOD"), std::string::npos) << script;
  EXPECT_EQ(script.find(" 7 7 7"), std::string::npos) << "a point of another plot";
  EXPECT_NE(script.find("A title with \\\"quotes\\\"\\n"), std::string::npos) << script;
}

TEST(Plot, DrawsRatiosWithoutTheReference) {
  plot drawn = by_threads();
  drawn.over = "slow";
  drawn.scale = 1;
  const std::string script = script_of(drawn, two_contenders());
  EXPECT_NE(script.find("1 1 1 1\n2 2 2 2\n8 8 8 8\nEOD"), std::string::npos) << script;
  EXPECT_EQ(script.find("\"slow\""), std::string::npos);
}

TEST(Plot, HasABarForEachContenderWithoutAnAxis) {
  plot drawn = by_threads();
  drawn.axis.clear();
  drawn.where = "reads=95 threads=8";
  const std::string script = script_of(drawn, two_contenders());
  EXPECT_NE(script.find("\"slow\" 2 2 2\n\"fast\" 16 16 16\nEOD"), std::string::npos) << script;
  EXPECT_NE(script.find("boxerrorbars"), std::string::npos);
  EXPECT_EQ(script.find("logscale"), std::string::npos);
  drawn.by_ten = true;
  EXPECT_NE(script_of(drawn, two_contenders()).find("set logscale y"), std::string::npos);
  drawn.over = "slow";
  EXPECT_EQ(script_of(drawn, two_contenders()).find("\"slow\""), std::string::npos);
  drawn.where = "reads=1";
  EXPECT_TRUE(script_of(drawn, two_contenders()).empty());
}

TEST(Plot, HasARangeAroundItsOnlyPoint) {
  plot drawn = by_threads();
  EXPECT_EQ(script_of(drawn, two_contenders()).find("set xrange"), std::string::npos);
  drawn.where = "reads=95 threads=8";
  EXPECT_NE(script_of(drawn, two_contenders()).find("set xrange [4:17]"), std::string::npos);
}

TEST(Plot, IsEmptyWithoutPoints) {
  plot drawn = by_threads();
  drawn.where = "reads=1";
  EXPECT_TRUE(script_of(drawn, two_contenders()).empty());
}

}  // namespace
