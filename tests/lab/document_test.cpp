#include "lab/document.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <nlohmann/json.hpp>
#include <set>
#include <system_error>

#include "tests/lab/fake_lab.hpp"

namespace racelab::lab {
namespace {

using nlohmann::json;

crash_run example() {
  crash_row row;
  row.scenario = "crash_a";
  row.program.map = "hmap";
  row.trials = 4;
  row.counts = {1, 1, 2, 0, 0, 0, 0};
  row.milliseconds = {1, 2, 6};
  row.kept = failing_trial{
      .what = outcome::crash, .seed = 4294967295, .output = "bad \xff byte", .has_trace = false};
  crash_row baseline;
  baseline.scenario = "crash_a";
  baseline.program.map = "hmap";
  baseline.perturb = perturbation::none;
  baseline.baseline = true;
  baseline.trials = 4;
  baseline.counts = {4, 0, 0, 0, 0, 0, 0};
  return {.rows = {row, baseline, crash_row{}}, .stopped_by = 0};
}

TEST(CrashDocument, HasTheContractsKeys) {
  const json document = json::parse(crash_document(example(), {}, {}, {}, {}));
  EXPECT_EQ(document.at("version"), 1);
  EXPECT_TRUE(document.at("machine").is_object());
  EXPECT_EQ(document.at("interrupted"), false);
  ASSERT_EQ(document.at("rows").size(), 2U) << "rows without trials are left out";

  const json& row = document["rows"][0];
  EXPECT_EQ(row.at("scenario"), "crash_a");
  EXPECT_EQ(row.at("map"), "hmap");
  EXPECT_EQ(row.at("perturb"), "stall");
  EXPECT_EQ(row.at("trials"), 4);
  EXPECT_EQ(row.at("outcomes"),
            (json{{"intact", 1}, {"corrupt", 1}, {"crash", 2}, {"fatal", 0}, {"hang", 0}}));
  EXPECT_EQ(row.at("rate"), 0.75);
  ASSERT_EQ(row.at("ci95").size(), 2U);
  EXPECT_NEAR(row["ci95"][0].get<double>(), 0.3006, 0.0001);
  EXPECT_NEAR(row["ci95"][1].get<double>(), 0.9544, 0.0001);
  EXPECT_EQ(row.at("median_ms_to_failure"), 2);
  EXPECT_EQ(row.at("failing_trial").at("seed"), 4294967295);
  EXPECT_EQ(row.at("failing_trial").at("output"), "bad \xEF\xBF\xBD byte");

  const json& baseline = document["rows"][1];
  EXPECT_EQ(baseline.at("perturb"), "none");
  EXPECT_EQ(baseline.at("median_ms_to_failure"), nullptr);
  EXPECT_EQ(baseline.at("rate"), 0);
}

TEST(CrashDocument, SaysWhereTheCoreFilesAre) {
  const kept_core kept{.name = "crash_a.hmap",
                       .program = "p",
                       .core = "c",
                       .seed = 7,
                       .made_by = "the kernel",
                       .why_none = ""};
  const kept_core none{
      .name = "crash_a.none", .program = "", .core = "", .seed = {}, .made_by = "", .why_none = "no gdb"};
  const json cores = json::parse(crash_document(example(), {kept, none}, {}, {}, {})).at("cores");
  EXPECT_EQ(cores.at(0), (json{{"name", "crash_a.hmap"},
                               {"program", "p"},
                               {"core", "c"},
                               {"outcome", "crash"},
                               {"seed", 7},
                               {"made_by", "the kernel"},
                               {"why_none", nullptr}}));
  EXPECT_EQ(cores.at(1).at("core"), nullptr);
  EXPECT_EQ(cores.at(1).at("why_none"), "no gdb");
}

TEST(WriteDocument, ReplacesInOneStepAndLeavesNothingElse) {
  const tests::fake_lab files;
  files.write("out.json", "old");
  write_document(files / "out.json", "new");
  EXPECT_EQ(files.read("out.json"), "new");
  std::filesystem::create_symlink("out.json", files / "link.json");
  write_document(files / "link.json", "through a link");
  EXPECT_EQ(files.read("out.json"), "through a link");
  EXPECT_TRUE(std::filesystem::is_symlink(files / "link.json"));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(files / ""), {}), 2);
}

TEST(WriteDocument, ADeviceStaysADevice) {
  write_document("/dev/null", "gone");
  struct stat found{};
  ASSERT_EQ(stat("/dev/null", &found), 0);
  EXPECT_TRUE(S_ISCHR(found.st_mode));
  EXPECT_THROW(write_document("/dev/full", "too much"), std::system_error);
}

TEST(CheckWritable, SaysBeforehandWhatWouldFail) {
  const tests::fake_lab files;
  EXPECT_NO_THROW(check_writable(files / "new.json"));
  EXPECT_NO_THROW(check_writable("relative.json"));
  EXPECT_NO_THROW(check_writable("/dev/null"));
  EXPECT_THROW(check_writable(files / "no folder/new.json"), std::system_error);
  EXPECT_THROW(check_writable(files / ""), std::system_error);
}

}  // namespace
}  // namespace racelab::lab
