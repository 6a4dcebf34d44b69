#include "bench/support/results.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>
#include <string>

namespace {

using namespace racelab::bench;

// Seven rounds in which the machine gets slower and slower: `twice` is always twice as fast as `once`.
results slowing_down() {
  results measured("question");
  for (int round = 1; round <= 7; ++round) {
    measured.add("once", "threads=1", "ops_per_s", 700.0 / round);
    measured.add("twice", "threads=1", "ops_per_s", 1400.0 / round);
  }
  measured.add("once", "threads=2", "ops_per_s", 5);
  return measured;
}

TEST(Results, AreComparedWithinARound) {
  const results measured = slowing_down();
  const paired_ratio ratio = measured.ratio("twice", "once", "threads=1", "ops_per_s");
  EXPECT_DOUBLE_EQ(ratio.low, 2);
  EXPECT_DOUBLE_EQ(ratio.median, 2);
  EXPECT_DOUBLE_EQ(ratio.high, 2);
  const paired_ratio value = measured.value("once", "threads=1", "ops_per_s");
  EXPECT_DOUBLE_EQ(value.median, 175);
  EXPECT_LT(value.low, value.high);
}

TEST(Results, SayWhatWasNotMeasured) {
  const results measured = slowing_down();
  EXPECT_TRUE(measured.has("once", "threads=2", "ops_per_s"));
  EXPECT_FALSE(measured.has("twice", "threads=2", "ops_per_s"));
  EXPECT_THROW(static_cast<void>(measured.value("twice", "threads=2", "ops_per_s")), std::out_of_range);
  EXPECT_THROW(static_cast<void>(measured.ratio("once", "twice", "threads=2", "ops_per_s")),
               std::out_of_range);
}

TEST(Results, HaveALineForEachValue) {
  std::ostringstream csv;
  slowing_down().write_csv(csv);
  const std::string text = csv.str();
  EXPECT_TRUE(text.starts_with("contender,point,quantity,round,value\nonce,threads=1,ops_per_s,0,700\n"))
      << text;
  EXPECT_EQ(std::ranges::count(text, '\n'), 1 + 15);
}

TEST(Results, HaveTheirMachineInTheDocument) {
  std::ostringstream json;
  slowing_down().write_json(json);
  const auto document = nlohmann::json::parse(json.str());
  EXPECT_EQ(document.at("question"), "question");
  EXPECT_FALSE(document.at("machine").get<std::string>().empty());
  ASSERT_EQ(document.at("values").size(), 3U);
  EXPECT_EQ(document["values"][0].at("rounds"), 7);
  EXPECT_EQ(document["values"][0].at("median"), 175);
}

}  // namespace
