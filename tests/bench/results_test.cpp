#include "bench/support/results.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
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

// A folder that is gone afterwards.
class results_folder {
 public:
  results_folder() : path_(testing::TempDir() + "results_" + std::to_string(getpid())) {
    std::filesystem::create_directories(path_);
  }
  ~results_folder() { std::filesystem::remove_all(path_); }
  results_folder(const results_folder&) = delete;
  results_folder& operator=(const results_folder&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  void append(const std::string& file, const std::string& line) const {
    std::ofstream(path_ + "/" + file, std::ios::app) << line << "\n";
  }

 private:
  std::string path_;
};

std::string error_of_reading(const std::string& folder) {
  try {
    static_cast<void>(results::read_from(folder, "question"));
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "none";
}

TEST(Results, AreReadAsTheyWereWritten) {
  const results_folder folder;
  const results written = slowing_down();
  written.write_csv_in(folder.path());
  written.write_json_in(folder.path());
  const results read = results::read_from(folder.path(), "question");
  EXPECT_EQ(read.machine(), written.machine());
  EXPECT_EQ(read.contenders(), written.contenders());
  EXPECT_EQ(read.points(), written.points());
  EXPECT_EQ(read.rounds_of("twice", "threads=1", "ops_per_s").size(), 7U);
  EXPECT_DOUBLE_EQ(read.ratio("twice", "once", "threads=1", "ops_per_s").median, 2);
}

TEST(Results, SayWhatCantBeRead) {
  const results_folder folder;
  EXPECT_EQ(error_of_reading(folder.path()), folder.path() + "/question.json: cannot be read");
  folder.append("question.json", "{");
  EXPECT_EQ(error_of_reading(folder.path()), folder.path() + "/question.json: is no benchmark's results");
  slowing_down().write_json_in(folder.path());
  EXPECT_EQ(error_of_reading(folder.path()), folder.path() + "/question.csv: cannot be read");
  slowing_down().write_csv_in(folder.path());
  folder.append("question.csv", "once,threads=2,ops_per_s,1");
  EXPECT_EQ(error_of_reading(folder.path()),
            folder.path() + "/question.csv:17: 'once,threads=2,ops_per_s,1' is no value of a round");
}

}  // namespace
