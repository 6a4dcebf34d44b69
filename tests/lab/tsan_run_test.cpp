#include "lab/tsan_run.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "lab/tsan_report.hpp"
#include "tests/lab/fake_lab.hpp"

namespace racelab::lab {
namespace {

// What a program does that ThreadSanitizer has something to say of, without its exit.
constexpr auto both_witnesses =
    "log=$(echo \"$TSAN_OPTIONS\" | tr ' ' '\\n' | sed -n 's/^log_path=//p')\n"
    "printf 'WARNING: ThreadSanitizer: data race (pid=1)\\n' > \"$log.$$\"\n"
    "printf "
    "'{\"process\":1,\"kind\":\"data-race\",\"base\":\"0x0\",\"accesses\":[],\"stacks\":[],\"locations\":[]}"
    "\\n' > "
    "\"$RACELAB_TSAN_RECORDS\"\n";

tsan_settings few(unsigned trials, unsigned stall_trials = 0) {
  tsan_settings settings;
  settings.trials = trials;
  settings.stall_trials = stall_trials;
  settings.jobs = 2;
  return settings;
}

tsan_run run(const tests::fake_lab& files, const tsan_settings& settings) {
  const catalogue all = read_catalogue(files / "catalogue.json");
  return run_tsan(plan_tsan(all, all.scenarios, settings), tsan::runtime::llvm, settings, {});
}

/// A racy program that is never reported, and a remedy that does this.
tsan_row remedy_that(const std::string& commands, unsigned stall_trials = 0) {
  tests::fake_lab files;
  files.scenario("crash_a", "exit 0");
  files.remedy("mended", commands);
  tsan_run all = run(files, few(3, stall_trials));
  EXPECT_EQ(all.rows.size(), 2U);
  return all.rows.at(1);
}

TEST(PlanTsan, RacyMapsAndRemediesAsAskedFor) {
  tests::fake_lab files;
  files.scenario("crash_a", "exit 0", {"hmap", "flat"}, "500");
  files.remedy("locked", "exit 0");
  files.remedy("copied", "exit 0");
  files.scenario("norace_b", "exit 0");
  const catalogue all = read_catalogue(files / "catalogue.json");
  const auto maps = [&](std::vector<std::string> fixes) {
    tsan_settings settings = few(1);
    settings.fixes = std::move(fixes);
    std::string text;
    for (const tsan_row& row : plan_tsan(all, all.scenarios, settings))
      text += std::string(text.empty() ? "" : " ") + std::string(name(row.kind)) + ":" + row.program.map;
    return text;
  };
  EXPECT_EQ(maps({}), "repro:hmap repro:flat fix:locked fix:copied norace:hmap");
  EXPECT_EQ(maps({"none"}), "repro:hmap repro:flat norace:hmap");
  EXPECT_EQ(maps({"all"}), "fix:locked fix:copied");
  EXPECT_EQ(maps({"copied"}), "fix:copied");
  EXPECT_THROW(maps({"mended"}), catalogue_error);
  const std::vector<tsan_row> rows = plan_tsan(all, all.scenarios, few(1));
  EXPECT_TRUE(rows[0].expects_report);
  EXPECT_FALSE(rows[2].expects_report);
  EXPECT_FALSE(rows[4].expects_report);
  EXPECT_EQ(rows[0].timeout, std::chrono::milliseconds(500)) << "a racy map that hangs has reported by then";
  EXPECT_EQ(rows[2].timeout, std::chrono::seconds(5)) << "ThreadSanitizer takes its time";
}

TEST(PlanTsan, AMissingProgramIsFoundBeforeAnythingRuns) {
  tests::fake_lab files;
  files.scenario("crash_a", "exit 0");
  files.remedy("mended", "exit 0");
  std::filesystem::remove(files / "crash_a.mended");
  const catalogue all = read_catalogue(files / "catalogue.json");
  EXPECT_THROW((void)plan_tsan(all, all.scenarios, few(1)), catalogue_error);
}

TEST(RunTsan, ACleanRemedyIsWhatIsWanted) {
  const tsan_row row = remedy_that("exit 0", 5);
  EXPECT_TRUE(row.ok());
  EXPECT_EQ(row.trials, 3U);
  EXPECT_EQ(row.stall_trials, 5U);
  EXPECT_EQ(row.intact, 5U);
  EXPECT_EQ(row.pairs_caught, 0U);
}

TEST(RunTsan, ARacyMapThatIsNeverReportedIsASurprise) {
  tests::fake_lab files;
  files.scenario("crash_a", "exit 0");
  const tsan_run all = run(files, few(3));
  EXPECT_FALSE(all.rows[0].ok());
  EXPECT_EQ(surprises(all), std::vector<std::string>{
                                "crash_a over hmap: reported in 0 of 3 trials (erase() W vs erase() W)"});
}

TEST(RunTsan, ARemedyThatIsReportedIsASurprise) {
  const tsan_row row = remedy_that(std::string(both_witnesses) + "exit 66");
  EXPECT_EQ(row.reports, 3U);
  EXPECT_EQ(row.with_reports, 3U);
  EXPECT_EQ(row.seen, 0U);
  EXPECT_EQ(row.unexpected, (std::map<std::string, unsigned>{{"data-race", 3}}));
  EXPECT_TRUE(row.strange.empty());
  EXPECT_FALSE(row.ok());
}

TEST(RunTsan, WitnessesThatContradictEachOtherAreASurprise) {
  using map = std::map<std::string, unsigned>;
  EXPECT_EQ(remedy_that(std::string(both_witnesses) + "exit 0").strange, (map{{"exit 0", 3}}))
      << "a report, yet exit 0";
  EXPECT_EQ(remedy_that("exit 66").strange, (map{{"exit 66", 3}})) << "exit 66 without a report";
  EXPECT_EQ(remedy_that(std::string(both_witnesses) + "rm \"$RACELAB_TSAN_RECORDS\"\nexit 66").strange,
            (map{{"the log has 1 reports and the program recorded 0", 3}}));
  EXPECT_EQ(remedy_that(std::string(both_witnesses) + "rm \"$log.$$\"\nexit 66").strange,
            (map{{"the log has 0 reports and the program recorded 1", 3}}));
}

TEST(RunTsan, ARemedyMustEndWell) {
  using map = std::map<std::string, unsigned>;
  EXPECT_EQ(remedy_that("echo 'corrupt: x'; exit 1").strange, (map{{"exit 1", 3}}));
  EXPECT_EQ(remedy_that("kill -SEGV $$").strange, (map{{"signal 11", 3}}));
  EXPECT_EQ(remedy_that("exit 2").strange, (map{{"exit 2", 3}}));
}

TEST(RunTsan, AProgramThatNeverEndsIsAHang) {
  tests::fake_lab files;
  files.scenario("crash_a", "exit 0");
  files.remedy("mended", "sleep 1000");
  tsan_settings settings = few(1);
  settings.timeout = std::chrono::milliseconds(200);
  const tsan_run all = run(files, settings);
  EXPECT_EQ(all.rows[1].strange, (std::map<std::string, unsigned>{{"hang", 1}}));
}

TEST(RunTsan, WhatIsCaughtOrBreaksUnderStallsIsASurprise) {
  const tsan_row caught = remedy_that(
      "[ -z \"$RACELAB_WATCH_LOG\" ] || printf "
      "'{\"kind\":\"modules\"}\\n{\"kind\":\"pair\",}\\n{\"kind\":\"changed\",}\\n' > "
      "\"$RACELAB_WATCH_LOG\"; exit 0",
      2);
  EXPECT_EQ(caught.intact, 2U);
  EXPECT_EQ(caught.pairs_caught, 4U);
  EXPECT_FALSE(caught.ok());

  const tsan_row broken = remedy_that("[ -z \"$RACELAB_PERTURB\" ] || { echo 'corrupt: x'; exit 1; }", 2);
  EXPECT_EQ(broken.intact, 0U);
  EXPECT_EQ(broken.broken, (std::map<std::string, unsigned>{{"corrupt", 2}}));
  EXPECT_TRUE(broken.strange.empty());
  EXPECT_FALSE(broken.ok());
}

TEST(TsanMatrix, ScenariosDownAndMapsAcross) {
  tests::fake_lab files;
  files.scenario("crash_a", "exit 0", {"hmap", "flat"});
  files.remedy("mended", "exit 0");
  files.scenario("norace_bb", "exit 0", {"flat"});
  EXPECT_EQ(tsan_matrix(run(files, few(3)), false),
            "                hmap\n"
            "                |       flat\n"
            "over racy maps  |       |\n"
            "crash_a         0/3!    0/3!\n"
            "norace_bb       ·       clean\n"
            "\n"
            "               mended\n"
            "over remedies  |\n"
            "crash_a        clean\n");
}

}  // namespace
}  // namespace racelab::lab
