#include "bench/support/program.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/support/scratch.hpp"

namespace {

class Program : public testing::Test {
 protected:
  // The exit code of a benchmark with these arguments; `said` is what it wrote.
  int run(const std::string& arguments, const std::string& program = RW_LOCK_BENCH) {
    const std::string command = program + " " + arguments + " 2>&1";
    FILE* const output = popen(command.c_str(), "r");  // NOLINT(cert-env33-c): the benchmark
    said.clear();
    if (output == nullptr) return -1;
    for (int c = 0; (c = std::fgetc(output)) != EOF;) said += static_cast<char>(c);
    const int status = pclose(output);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  scratch_folder folder;
  std::string said;
};

TEST_F(Program, WritesWhatItMeasured) {
  ASSERT_EQ(run("--quick --rounds 6 --seconds 0.002 --results " + (folder / "results").string()), 0) << said;
  std::ifstream csv(folder / "results" / "rw_lock_bench.csv");
  int lines = 0;
  for (std::string line; std::getline(csv, line);) ++lines;
  // Operations a second of three maps on one thread and on two, of the bare one on one, and the nanoseconds of all four on
  // one; six rounds each, without the warm-up.
  EXPECT_EQ(lines, 1 + 11 * 6);
  std::ifstream file(folder / "results" / "rw_lock_bench.json");
  const auto document = nlohmann::json::parse(file);
  ASSERT_EQ(document.at("values").size(), 11U);
  for (const auto& each : document.at("values")) {
    EXPECT_EQ(each.at("rounds"), 6);
    EXPECT_GT(each.at("median"), 0);
  }
  EXPECT_NE(said.find("over mutex_map [95 %]"), std::string::npos) << said;
}

TEST_F(Program, MeasuresOnlyWhatIsAskedFor) {
  const std::string quick = "--quick --rounds 6 --seconds 0.002 ";
  ASSERT_EQ(run(quick + "--only mutex_map,rw_lock_map --where 'threads=2 reads=100'"), 0) << said;
  EXPECT_NE(said.find("threads=2"), std::string::npos) << said;
  EXPECT_EQ(said.find("threads=1"), std::string::npos) << said;
  EXPECT_EQ(said.find("bare_unordered_map"), std::string::npos) << said;
  EXPECT_EQ(run(quick + "--only nobody"), 2);
  EXPECT_NE(said.find("no contender and no point is called that"), std::string::npos) << said;
}

TEST_F(Program, RefusesWhatItCantDoWithOneLine) {
  for (const std::string arguments : {"--rounds 5", "--nonsense", "--seconds much"}) {
    EXPECT_EQ(run(arguments), 2) << arguments << "\n" << said;
    EXPECT_NE(said.find("Run with --help"), std::string::npos) << said;
  }
  std::ofstream(folder / "file") << "in the way\n";
  EXPECT_EQ(run("--quick --rounds 6 --seconds 0.002 --results " + (folder / "file").string()), 2) << said;
}

TEST_F(Program, HelpsWithExamples) {
  EXPECT_EQ(run("--help"), 0);
  EXPECT_NE(said.find("rw_lock_bench --rounds 21"), std::string::npos) << said;
}

TEST_F(Program, ReadsTheArgumentsOfPairedRoundsAlike) {
  EXPECT_EQ(run("--help", CAPTURE_BENCH), 0);
  EXPECT_NE(said.find("capture_bench --rounds 21"), std::string::npos) << said;
  for (const std::string arguments : {"--rounds 5", "--rounds many", "--nonsense", "--json file"}) {
    EXPECT_EQ(run(arguments, CAPTURE_BENCH), 2) << arguments << "\n" << said;
    EXPECT_NE(said.find("Run with --help"), std::string::npos) << said;
  }
  EXPECT_EQ(run("--rounds 6 --check", CAPTURE_BENCH) / 2, 0)
      << said;  // whether it keeps its bar is another test's
}

}  // namespace
