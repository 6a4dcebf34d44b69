// What a class is shown: sources, texts and the table of lessons.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <string>

#include "lab/classroom_lessons.hpp"
#include "lab/classroom_live.hpp"
#include "lab/classroom_text.hpp"
#include "lab/terminal.hpp"
#include "tests/lab/fake_lab.hpp"

namespace {

using namespace racelab::lab;
using racelab::tests::fake_lab;

std::size_t count(const lesson& in, lesson_step_kind kind) {
  return static_cast<std::size_t>(std::ranges::count(in.steps, kind, &lesson_step::kind));
}

TEST(ClassroomLessons, HaveNamesOfTheirOwnAndFillHalfAnHour) {
  ASSERT_GE(lessons().size(), 8U);
  std::set<std::string> names;
  unsigned minutes = 0;
  for (const lesson& each : lessons()) {
    EXPECT_TRUE(names.insert(each.name).second) << each.name;
    EXPECT_FALSE(each.title.empty()) << each.name;
    minutes += each.minutes;
  }
  EXPECT_EQ(minutes, 30U);
}

TEST(ClassroomLessons, AskBeforeTheEvidenceAndAnswerAfterIt) {
  for (const lesson& each : lessons()) {
    SCOPED_TRACE(each.name);
    EXPECT_EQ(each.steps.front().kind, lesson_step_kind::story);
    EXPECT_EQ(each.steps.back().kind, lesson_step_kind::remedy);
    EXPECT_EQ(count(each, lesson_step_kind::question), 1U);
    EXPECT_EQ(count(each, lesson_step_kind::answer), 1U);
    EXPECT_GE(count(each, lesson_step_kind::judge), 1U);
    EXPECT_GE(count(each, lesson_step_kind::source), 1U);
    const auto at = [&](lesson_step_kind kind) {
      return std::ranges::find(each.steps, kind, &lesson_step::kind);
    };
    EXPECT_LT(at(lesson_step_kind::source), at(lesson_step_kind::question));
    EXPECT_LT(at(lesson_step_kind::question), at(lesson_step_kind::judge));
    EXPECT_LT(at(lesson_step_kind::judge), at(lesson_step_kind::answer));
    EXPECT_NE(at(lesson_step_kind::question)->text.find("rue or false? Why?"), std::string::npos);
  }
}

TEST(ClassroomLessons, SayWhatTheyRunAndWhatTheJudgeFinds) {
  for (const lesson& each : lessons())
    for (const lesson_step& step : each.steps) {
      SCOPED_TRACE(each.name + ": " + step.text);
      const bool has_program = is_live(step.kind) || step.kind == lesson_step_kind::source;
      EXPECT_EQ(step.program.empty(), !has_program);
      EXPECT_EQ(step.verdict.empty(), step.kind != lesson_step_kind::judge);
      if (!has_program) {
        EXPECT_FALSE(step.text.empty());
        continue;
      }
      const std::string file = step.program.ends_with(".hpp")
                                   ? step.program
                                   : "repro/" + std::string(scenario_of(step.program)) + ".cpp";
      EXPECT_TRUE(std::filesystem::exists(std::filesystem::path(RACELAB_SOURCES) / file)) << file;
    }
}

TEST(ClassroomText, ASourceBeginsBehindWhatWouldGiveTheAnswerAway) {
  EXPECT_EQ(numbered_source("// Racy.\n// truth: race\n#include <map>\n\nint main() {\n  // why\n}\n"),
            "   5  int main() {\n   6    // why\n   7  }\n");
  EXPECT_EQ(numbered_source("// Nothing else.\n"), "");
}

TEST(ClassroomText, FramesOfLibrariesAreLeftOut) {
  EXPECT_EQ(without_library_frames(
                "thread 2 [running]:\nstd::list<…>::begin(...)\n\t/usr/include/c++/12/bits/stl_list.h:1023\n"
                "walk()\n\trepro/a.cpp:3 +0x1\ncreated by ?\n\t/lib/libomp.so.5 +0x1\n"),
            "thread 2 [running]:\nwalk()\n\trepro/a.cpp:3 +0x1\n");
}

TEST(ClassroomText, NamesThatTellTheTruthAreReplaced) {
  EXPECT_EQ(scenario_of("crash_find.hmap"), "crash_find");
  EXPECT_EQ(scenario_of("norace_mutex"), "norace_mutex");
  EXPECT_EQ(anonymous("walk() repro/race_walk.cpp:3, norace_lock in repro/norace_lock.cpp",
                      {"race_walk", "norace_lock"}),
            "walk() program.cpp:3, program2 in program2.cpp");
  EXPECT_EQ(anonymous("repro/race_walk.cpp", {}), "repro/race_walk.cpp");
}

TEST(ClassroomText, LinesAreFittedToThePage) {
  EXPECT_EQ(fitted("\tshort\nas it is\n", 20), "    short\nas it is\n");
  EXPECT_EQ(fitted("  one two three four\n", 12), "  one two\n  three four\n");
  EXPECT_EQ(fitted("\x1b[1mone\x1b[0m two\n", 7), "\x1b[1mone\x1b[0m two\n") << "colours take no columns";
  EXPECT_EQ(fitted("ääää öööö\n", 9), "ääää öööö\n") << "columns are counted, not bytes";
}

// A lab whose programs all do the same, so that no lesson comes out as it says.
class wrong_lab : public testing::Test {
 protected:
  void programs(const std::string& lesson_name, const std::string& commands) {
    lab_.scenario("norace_x", "exit 0");  // for a catalogue
    for (const char* kind : {"plain", "watch", "tsan"}) {
      std::filesystem::create_directories(lab_ / "programs" / kind);
      for (const lesson& each : lessons())
        for (const lesson_step& step : each.steps)
          if (each.name == lesson_name && is_live(step.kind))
            lab_.script(std::string("programs/") + kind + "/" + step.program, commands);
    }
  }

  fake_lab lab_;
};

TEST_F(wrong_lab, AStepThatComesOutOtherwiseIsSaidSo) {
  programs("iterate_delete", "exit 0");
  const trial_result run = lab_.racelab({"classroom", "--auto", "--lesson", "iterate_delete"});
  EXPECT_EQ(run.exit_code, 1) << run.standard_output << run.standard_error;
  EXPECT_NE(run.standard_output.find(
                "> NOT AS THE LESSON SAYS: ThreadSanitizer should report: reported in 0 of 100 runs\n"),
            std::string::npos)
      << run.standard_output;
  EXPECT_NE(run.standard_output.find("> NOT AS THE LESSON SAYS: "),
            run.standard_output.rfind("> NOT AS THE LESSON SAYS: "))
      << "the judge finds nothing either";
  EXPECT_NE(run.standard_output.find("2 NOT AS THE LESSONS SAY"), std::string::npos) << run.standard_output;
}

TEST_F(wrong_lab, ARemedyThatIsNotIntactIsSaidSo) {
  programs("asm_lock", "echo corrupt: all of it; exit 1");
  const trial_result run = lab_.racelab({"classroom", "--auto", "--lesson", "5"});
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_NE(run.standard_output.find("it should be intact under ThreadSanitizer, and ended with exit 1"),
            std::string::npos)
      << run.standard_output;
}

TEST_F(wrong_lab, ProgramsThatAreMissingAreNamed) {
  programs("asm_lock", "exit 0");
  const trial_result run = lab_.racelab({"classroom", "--auto", "--lesson", "missed"});
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_NE(run.standard_error.find("race_masked_by_mutex: no such program: make classroom builds it"),
            std::string::npos)
      << run.standard_error;
}

TEST_F(wrong_lab, ALessonWhoseLibraryIsMissingIsSkippedLoudly) {
  programs("asm_lock", "exit 0");
  const trial_result run = lab_.racelab({"classroom", "--auto", "--lesson", "openmp"});
  EXPECT_EQ(run.exit_code, 0) << run.standard_error;
  EXPECT_NE(run.standard_output.find("SKIPPED: lesson 6, openmp: there is no OpenMP library"),
            std::string::npos)
      << run.standard_output;
}

}  // namespace
