#include "lab/crash_run.hpp"

#include <gtest/gtest.h>

#include <set>

#include "lab/crash_report.hpp"
#include "tests/lab/fake_lab.hpp"

namespace racelab::lab {
namespace {

constexpr auto traced_crash =
    "[ \"$RACELAB_TRACEBACK\" = none ] || "
    "printf 'fatal error: x\\n\\nthread 2 [running]:\\nf()\\n\\trepro/x.cpp:3 +0x5\\n' >&2\n"
    "kill -SEGV $$";

crash_row row_of(scenario_kind kind, unsigned intact, unsigned crashed, bool baseline = false) {
  crash_row row;
  row.kind = kind;
  row.scenario = "some_scenario";
  row.program.map = "hmap";
  row.baseline = baseline;
  row.trials = intact + crashed;
  row.counts[static_cast<std::size_t>(outcome::intact)] = intact;
  row.counts[static_cast<std::size_t>(outcome::crash)] = crashed;
  return row;
}

TEST(PlanCrash, ARowForEachProgramAndItsBaseline) {
  tests::fake_lab files;
  files.scenario("crash_a", "exit 0", {"hmap", "flat"}, "500");
  files.scenario("race_b", "exit 0");
  const std::vector<scenario> all = read_catalogue(files / "catalogue.json").scenarios;
  crash_settings settings;
  const std::vector<crash_row> rows = plan_crash(all, settings);
  ASSERT_EQ(rows.size(), 6U);
  EXPECT_EQ(rows[2].scenario, "crash_a");
  EXPECT_EQ(rows[2].program.map, "flat");
  EXPECT_EQ(rows[2].perturb, perturbation::stall);
  EXPECT_FALSE(rows[2].baseline);
  EXPECT_EQ(rows[2].timeout, std::chrono::milliseconds(500));
  EXPECT_EQ(rows[3].program.map, "flat");
  EXPECT_EQ(rows[3].perturb, perturbation::none);
  EXPECT_TRUE(rows[3].baseline);
  EXPECT_EQ(rows[4].timeout, std::chrono::seconds(10));

  settings.timeout = std::chrono::seconds(3);
  settings.perturb = perturbation::none;
  ASSERT_EQ(plan_crash(all, settings).size(), 3U) << "none needs nothing beside it";
  EXPECT_EQ(plan_crash(all, settings)[0].timeout, std::chrono::seconds(3));
  settings.perturb = perturbation::heap;
  settings.baseline = false;
  EXPECT_EQ(plan_crash(all, settings).size(), 3U);
}

TEST(PlanCrash, AMissingProgramIsFoundBeforeAnythingRuns) {
  tests::fake_lab files;
  files.scenario("crash_a", "exit 0");
  std::filesystem::remove(files / "crash_a");
  EXPECT_THROW((void)plan_crash(read_catalogue(files / "catalogue.json").scenarios, {}), catalogue_error);
}

TEST(RunCrash, CountsTimesAndKeepsOneTracedFailure) {
  tests::fake_lab files;
  files.scenario("crash_a", traced_crash);
  crash_settings settings;
  settings.trials = 20;
  settings.jobs = 2;
  settings.baseline = false;
  std::size_t with_trace = 0;
  const crash_run run =
      run_crash(plan_crash(read_catalogue(files / "catalogue.json").scenarios, settings), settings,
                {.trial =
                     [&](const crash_row& /*row*/, std::size_t /*trial*/, const trial_result& result) {
                       if (has_stack(result.standard_error)) ++with_trace;
                     },
                 .tick = {}});
  ASSERT_EQ(run.rows.size(), 1U);
  const crash_row& row = run.rows[0];
  EXPECT_EQ(row.trials, 20U);
  EXPECT_EQ(row.failures(), 20U);
  EXPECT_EQ(row.rate(), 1);
  ASSERT_TRUE(row.kept);
  EXPECT_TRUE(row.kept->has_trace);
  EXPECT_EQ(row.kept->what, outcome::crash);
  EXPECT_GE(with_trace, 1U);
  EXPECT_LE(with_trace, 2U) << "traces are asked for until one has come: at most those that ran at that time";
  EXPECT_EQ(row.milliseconds.size(), 20 - with_trace);
  EXPECT_EQ(row.traced_milliseconds.size(), with_trace);
  EXPECT_GT(row.median_milliseconds().value(), 0);
}

TEST(RunCrash, ThereMayBeNothingToRun) { EXPECT_TRUE(run_crash({}, {}, {}).rows.empty()); }

TEST(CrashRow, TheMedianIsOfTracedFailuresOnlyIfThereAreNoOthers) {
  crash_row row;
  EXPECT_EQ(row.median_milliseconds(), std::nullopt);
  row.traced_milliseconds = {100};
  EXPECT_EQ(row.median_milliseconds(), 100);
  row.milliseconds = {3};
  EXPECT_EQ(row.median_milliseconds(), 3);
}

TEST(HasStack, AGoStyleStackWithSourceLines) {
  EXPECT_TRUE(has_stack("fatal error: x\n\nthread 13 [running]:\nmain()\n\trepro/crash_a.cpp:14 +0xdc\n"));
  EXPECT_FALSE(has_stack("fatal error: x\n\nthread 13 [running]:\n\tprogram+0x1234\n")) << "not symbolised";
  EXPECT_FALSE(has_stack("corrupt: 3\n\trepro/crash_a.cpp:14\n"));
  EXPECT_FALSE(has_stack("thread 13 [running]:"));
  EXPECT_FALSE(has_stack(""));
}

TEST(BrokenExpectations, FailingScenariosMustReachTheRate) {
  for (const scenario_kind kind :
       {scenario_kind::crash, scenario_kind::corrupt, scenario_kind::hang, scenario_kind::misuse}) {
    EXPECT_EQ(broken_expectations({row_of(kind, 1, 99)}, 0.99).size(), 0U);
    EXPECT_EQ(broken_expectations({row_of(kind, 2, 98)}, 0.99).size(), 0U) << "may be 99 % all the same";
    EXPECT_EQ(broken_expectations({row_of(kind, 3, 97)}, 0.99).size(), 1U);
    EXPECT_EQ(broken_expectations({row_of(kind, 6, 194)}, 0.99).size(), 1U);
    EXPECT_EQ(broken_expectations({row_of(kind, 0, 10)}, 0.99).size(), 0U) << "few trials, none missed";
    EXPECT_EQ(broken_expectations({row_of(kind, 100, 0)}, std::nullopt).size(), 0U);
    EXPECT_EQ(broken_expectations({row_of(kind, 100, 0, true)}, 0.99).size(), 0U)
        << "a baseline need not fail";
  }
}

TEST(BrokenExpectations, HarmlessScenariosMustNotFailUnderAnything) {
  for (const scenario_kind kind : {scenario_kind::race, scenario_kind::norace}) {
    EXPECT_EQ(broken_expectations({row_of(kind, 100, 0)}, 0.99).size(), 0U);
    EXPECT_EQ(broken_expectations({row_of(kind, 99, 1)}, 0.99).size(), 1U);
    EXPECT_EQ(broken_expectations({row_of(kind, 99, 1)}, std::nullopt).size(), 1U);
    EXPECT_EQ(broken_expectations({row_of(kind, 99, 1, true)}, 0.99).size(), 1U);
  }
}

TEST(BrokenExpectations, EveryTrialMustSpeakTheProtocol) {
  crash_row row = row_of(scenario_kind::crash, 0, 99);
  row.trials = 100;
  row.counts[static_cast<std::size_t>(outcome::other)] = 1;
  row.why_other = "exit 3";
  const std::vector<std::string> broken = broken_expectations({row}, std::nullopt);
  ASSERT_EQ(broken.size(), 1U);
  EXPECT_NE(broken[0].find("1 of 100 trials spoke no protocol (exit 3)"), std::string::npos) << broken[0];
}

TEST(CrashTable, ColumnsStandUnderEachOther) {
  crash_run run;
  for (const auto& [map, failures] : {std::pair{"hmap", 100U}, {"unordered_map", 99U}}) {
    crash_row row = row_of(scenario_kind::crash, 100 - failures, failures);
    row.scenario = "crash_concurrent_delete";
    row.story = "Ten threads delete the same keys.";
    row.program.map = map;
    row.milliseconds = {failures == 99 ? 4.25 : 1234.5};
    row.kept = failing_trial{.what = outcome::crash, .seed = 17 * failures, .output = "", .has_trace = false};
    run.rows.push_back(row);
    row = row_of(scenario_kind::crash, 98, 2, true);
    row.perturb = perturbation::none;
    run.rows.push_back(row);
  }
  run.rows.push_back(row_of(scenario_kind::crash, 0, 0));  // not reached before an interrupt
  EXPECT_EQ(crash_table(run, {}, false, 120),
            "  map            trials  intact  corrupt  crash  fatal  hang     rate           95 %  "
            "unperturbed        95 %  "
            "ms to fail  failing seed\n"
            "\n"
            "crash_concurrent_delete\n"
            "  Ten threads delete the same keys.\n"
            "  hmap              100       0        0    100      0     0  100.0 %  [96.3, 100.0]        2.0 "
            "%  [0.6, 7.0]  "
            "      1234          1700\n"
            "  unordered_map     100       1        0     99      0     0   99.0 %   [94.6, 99.8]        2.0 "
            "%  [0.6, 7.0]  "
            "       4.2          1683\n");
}

TEST(ClosingRow, IsACrashScenariosWithATrace) {
  crash_run run;
  EXPECT_EQ(closing_row(run), nullptr);
  const failing_trial traced{.what = outcome::fatal, .seed = {}, .output = "x", .has_trace = true};
  const failing_trial untraced{.what = outcome::crash, .seed = {}, .output = "x", .has_trace = false};
  run.rows = {row_of(scenario_kind::crash, 0, 1), row_of(scenario_kind::hang, 0, 1),
              row_of(scenario_kind::crash, 0, 1)};
  run.rows[0].kept = untraced;
  run.rows[1].kept = traced;
  EXPECT_EQ(closing_row(run), &run.rows[1]);
  run.rows[2].kept = traced;
  EXPECT_EQ(closing_row(run), &run.rows[2]);
}

TEST(OneRowOfEachScenario, HasATraceWhereThereIsOne) {
  crash_run run;
  EXPECT_TRUE(one_row_of_each_scenario(run).empty());
  const failing_trial traced{.what = outcome::fatal, .seed = {}, .output = "x", .has_trace = true};
  const failing_trial untraced{.what = outcome::corrupt, .seed = {}, .output = "x", .has_trace = false};
  run.rows = {row_of(scenario_kind::corrupt, 0, 1), row_of(scenario_kind::corrupt, 0, 1, true),
              row_of(scenario_kind::corrupt, 0, 1), row_of(scenario_kind::crash, 0, 1),
              row_of(scenario_kind::hang, 1, 0)};
  const char* const names[] = {"corrupt_a", "corrupt_a", "corrupt_a", "crash_b", "hang_c"};
  for (std::size_t i = 0; i < run.rows.size(); ++i) run.rows[i].scenario = names[i];
  run.rows[0].kept = untraced;
  run.rows[1].kept = traced;  // a baseline's
  run.rows[3].kept = untraced;
  const auto rows = [&](std::size_t a, std::size_t b) {
    return std::vector<const crash_row*>{&run.rows[a], &run.rows[b]};
  };
  EXPECT_EQ(one_row_of_each_scenario(run), rows(0, 3));
  run.rows[2].kept = traced;
  EXPECT_EQ(one_row_of_each_scenario(run), rows(2, 3));
}

}  // namespace
}  // namespace racelab::lab
