#include "lab/score_run.hpp"

#include <gtest/gtest.h>

#include "lab/score_report.hpp"
#include "tests/lab/fake_lab.hpp"

namespace racelab::lab {
namespace {

corpus_program program(const std::string& name, truth what, bool shown = false) {
  corpus_program made;
  made.name = name;
  made.what = what;
  made.shown = shown;
  return made;
}

const std::vector<corpus_program> programs{
    program("race_shown", truth::race, true), program("race_by_order", truth::race),
    program("hang_locks", truth::deadlock), program("norace_reported", truth::no_race),
    program("norace_silent", truth::no_race)};

score_case said(std::size_t of, bool reported, const std::string& verdict = "") {
  score_case made;
  made.program = of;
  made.runs = 4;
  made.reported_in = reported ? 4 : 0;
  made.verdict = verdict;
  return made;
}

tsan::report race(std::uint64_t first, std::uint64_t second, bool atomic = false, bool locked = false) {
  tsan::report made;
  made.accesses.resize(2);
  made.accesses[0].address = first;
  made.accesses[1].address = second;
  for (tsan::access& each : made.accesses) each.size = 4;
  made.accesses[0].atomic = atomic;
  if (locked) made.accesses[1].mutexes.push_back({.id = "M0"});
  return made;
}

TEST(Score, CountsRightAndWrong) {
  detector_score score;
  score.cases = {said(0, true), said(1, false), said(2, true), said(3, true), said(4, false)};
  const confusion of = confusion_of(score, programs);
  EXPECT_EQ(of.true_positives, 2U);
  EXPECT_EQ(of.false_negatives, 1U);
  EXPECT_EQ(of.false_positives, 1U);
  EXPECT_EQ(of.true_negatives, 1U);
  EXPECT_DOUBLE_EQ(of.precision().value(), 2.0 / 3);
  EXPECT_DOUBLE_EQ(of.recall().value(), 2.0 / 3);
  EXPECT_EQ(confusion().precision(), std::nullopt) << "nothing was reported";
  EXPECT_EQ(confusion().recall(), std::nullopt) << "nothing is true";
}

TEST(Score, JudgesWordsAgainstTheLabels) {
  detector_score score;
  score.cases = {said(0, true, "confirmed"), said(1, false, "likely-false"), said(2, false, "unconfirmed"),
                 said(3, false, "likely-false"), said(4, false, "no-report")};
  const judge_agreement of = agreement_of(score, programs);
  EXPECT_EQ(of.can_be_shown, 2U);
  EXPECT_EQ(of.confirmed, 1U);
  EXPECT_EQ(of.said_false, 2U);
  EXPECT_EQ(of.rightly, 1U);
  EXPECT_EQ(of.false_reports, 1U);
  EXPECT_EQ(of.said_of_them, 1U);
  EXPECT_EQ(of.ordering_only, 1U);
  EXPECT_EQ(of.called_so, 0U);
}

TEST(Score, TheCriteriaAreRulesOverReports) {
  const auto says = [](std::string_view name, const score_case& of) {
    const auto found = std::ranges::find(seed_criteria(), name, &criterion::name);
    EXPECT_NE(found, seed_criteria().end()) << name;
    return found->says_true(of);
  };
  score_case bare = said(0, true);
  bare.reports = {race(16, 16)};
  EXPECT_TRUE(says("same field", bare));
  EXPECT_TRUE(says("no indirect synchronisation", bare));
  EXPECT_TRUE(says("reproducible", bare));
  EXPECT_TRUE(says("all three", bare));

  score_case part = bare;
  part.reports = {race(16, 18)};
  EXPECT_FALSE(says("same field", part));
  EXPECT_FALSE(says("all three", part));
  score_case atomic = bare;
  atomic.reports = {race(16, 16, true)};
  EXPECT_FALSE(says("no indirect synchronisation", atomic));
  score_case locked = bare;
  locked.reports = {race(16, 16, false, true)};
  EXPECT_FALSE(says("no indirect synchronisation", locked));
  score_case rare = bare;
  rare.reported_in = 3;
  EXPECT_FALSE(says("reproducible", rare));
}

TEST(Score, OnlyReportedProgramsAreCountedForACriterion) {
  detector_score score;
  score.cases = {said(0, true), said(1, false), said(3, true), said(4, false)};
  for (score_case& each : score.cases)
    if (each.reported()) each.reports = {race(16, 16)};
  const confusion of = confusion_of(seed_criteria().front(), score, programs);
  EXPECT_EQ(of.true_positives, 1U);
  EXPECT_EQ(of.false_positives, 1U);
  EXPECT_EQ(of.false_negatives + of.true_negatives, 0U);
}

TEST(Score, RunsUntilSomethingIsReportedAndLeavesOutWhatIsMissing) {
  const tests::fake_lab files;
  files.script("quiet", "exit 0");
  files.script("caught", R"(echo '{"kind":"pair"}' >> "$RACELAB_WATCH_LOG")");
  files.script("fatal", "echo 'fatal error: concurrent map writes' >&2; exit 2");
  files.script("loud", "printf 'WARNING: ThreadSanitizer: data race (pid=1)\\n' >&2; exit 66");
  std::vector<corpus_program> two{program("race_a", truth::race, true), program("norace_b", truth::no_race)};
  two[0].watch = files / "caught";
  two[1].watch = files / "quiet";
  two[0].tsan = files / "loud";
  two[0].flag = files / "fatal";
  score_settings settings;
  settings.runs = 3;
  settings.detectors = {detector::watchpoint, detector::tsan_clang, detector::tsan_gcc, detector::write_flag};
  const score_run run = run_score(two, settings, [](const std::string&) {});
  ASSERT_EQ(run.detectors.size(), 4U);
  const detector_score& watched = run.detectors[0];
  ASSERT_EQ(watched.cases.size(), 2U);
  EXPECT_EQ(watched.cases[0].runs, 1U) << "caught in its first run";
  EXPECT_TRUE(watched.cases[0].reported());
  EXPECT_EQ(watched.cases[1].runs, 3U);
  EXPECT_FALSE(watched.cases[1].reported());
  EXPECT_TRUE(median_seconds(watched).has_value());
  const detector_score& tsan = run.detectors[1];
  ASSERT_EQ(tsan.cases.size(), 1U) << "norace_b was not built for it";
  EXPECT_EQ(tsan.cases[0].reported_in, 3U);
  EXPECT_EQ(tsan.cases[0].runs, 3U);
  EXPECT_NE(run.detectors[2].left_out, "");
  const detector_score& flagged = run.detectors[3];
  ASSERT_EQ(flagged.cases.size(), 1U) << "norace_b has no map";
  EXPECT_EQ(flagged.cases[0].runs, 1U);
  EXPECT_TRUE(flagged.cases[0].reported());
  EXPECT_EQ(flagged.cases[0].not_intact, 0U);
  const std::string text = score_text(run, two, settings, false);
  EXPECT_NE(text.find("SKIPPED: tsan-gcc"), std::string::npos) << text;
}

}  // namespace
}  // namespace racelab::lab
