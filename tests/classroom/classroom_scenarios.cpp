// `racelab classroom` as a class sees it, every lesson live.
#include <algorithm>
#include <chrono>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "lab/classroom_lessons.hpp"
#include "lab/classroom_live.hpp"
#include "lab/classroom_text.hpp"
#include "lab/terminal.hpp"
#include "lab/trials.hpp"
#include "tests/lab/fake_lab.hpp"
#include "tests/support/catch.hpp"

namespace {

using namespace racelab::lab;
using racelab::tests::contains;
using racelab::tests::lines;

trial_result shell(const std::string& commands) {
  trial_request request;
  request.program = "/bin/sh";
  request.arguments = {"-c", commands};
  request.environment = {"RACELAB=" RACELAB_COMMAND, "TERM=xterm"};
  request.timeout = std::chrono::seconds(500);
  request.memory_limit = 0;
  request.output_limit = std::size_t{4} << 20;
  return run_trial(request);
}

// Catch2 runs a WHEN again for each of its THENs.
const trial_result& walk_by_itself() {
  static const trial_result walked = shell("$RACELAB classroom --auto");
  return walked;
}

// What was printed of one lesson.
std::string part_of(const std::string& output, const std::string& title) {
  const std::size_t begin = output.find(": " + title + "\n");
  if (begin == std::string::npos) return "";
  return output.substr(begin, output.find("\nLesson ", begin) - begin);
}

std::vector<std::string> outcomes_of(const std::string& part) {
  std::vector<std::string> found;
  for (const std::string& line : lines(part))
    if (line.starts_with("> ")) found.push_back(line);
  return found;
}

// The outcome line of a live step, as its lesson promises it.
void check_outcome(const lesson_step& step, const std::string& line) {
  INFO(line);
  switch (step.kind) {
    case lesson_step_kind::run:
      CHECK(contains(line, "> 10 runs: "));
      break;
    case lesson_step_kind::crash:
      CHECK(contains(line, "under stalls"));
      CHECK(contains(line, "crash"));
      break;
    case lesson_step_kind::report:
      CHECK(contains(line, "> reported in 1 of "));
      break;
    case lesson_step_kind::silence:
      CHECK(contains(line, " of 5 runs"));
      CHECK_FALSE(contains(line, "5 of 5"));
      break;
    case lesson_step_kind::judge:
      CHECK(contains(line, " " + step.verdict + " within "));
      break;
    case lesson_step_kind::remedy:
      CHECK(line == "> reported in 0 of 5 runs, and under stalls in 10 runs: 10 intact");
      break;
    default:
      FAIL("a step that runs nothing has an outcome");
  }
}

}  // namespace

SCENARIO("a walk through all lessons without anybody there") {
  GIVEN("the lab's own programs") {
    WHEN("every lesson is taken with --auto") {
      const trial_result& run = walk_by_itself();
      INFO(run.standard_output << run.standard_error);
      THEN("every live step comes out as its lesson says, and the output says so") {
        CHECK(run.exit_code == 0);
        CHECK(contains(run.standard_output, "all as the lessons say"));
        for (const lesson& each : lessons()) {
          const std::string part = part_of(run.standard_output, each.title);
          if (part.empty() && !each.needs.empty()) {
            CHECK(contains(run.standard_output, each.name + ": there is no " + each.needs));
            continue;
          }
          INFO(each.name);
          std::vector<lesson_step> live;
          std::ranges::copy_if(each.steps, std::back_inserter(live), is_live, &lesson_step::kind);
          const std::vector<std::string> outcomes = outcomes_of(part);
          REQUIRE(outcomes.size() == live.size());
          for (std::size_t i = 0; i < live.size(); ++i) check_outcome(live[i], outcomes[i]);
        }
      }
      THEN("nothing gives an answer away before it is due") {
        for (const lesson& each : lessons()) {
          const std::string part = part_of(run.standard_output, each.title);
          const std::string before = part.substr(0, part.find("-- The answer --"));
          for (const lesson_step& step : each.steps)
            if (!step.program.empty() && !step.program.ends_with(".hpp"))
              CHECK_FALSE(contains(before, scenario_of(step.program)));
        }
      }
      THEN("it fits on a page and has no colours, for it is no terminal") {
        for (const std::string& line : lines(run.standard_output)) CHECK(width(line) <= 100);
        CHECK_FALSE(contains(run.standard_output, "\x1b["));
      }
    }
  }
}

SCENARIO("a teacher at a terminal") {
  GIVEN("a lesson that is gone through by hand") {
    WHEN("enter is pressed once, and then q") {
      const trial_result run =
          shell(R"(printf '\nq\n' | script -qec "$RACELAB classroom --lesson missed" /dev/null)");
      INFO(run.standard_output << run.standard_error);
      THEN("the next step is shown and nothing after it, in colours") {
        CHECK(run.exit_code == 0);
        CHECK(contains(run.standard_output, "-- The story --"));
        CHECK(contains(run.standard_output, "-- The program --"));
        CHECK_FALSE(contains(run.standard_output, "-- ThreadSanitizer --"));
        CHECK(contains(run.standard_output, "\x1b[1m"));
      }
    }
  }
  GIVEN("no terminal and wrong usage") {
    THEN("it is told in one line") {
      const auto complaint = [](const std::string& arguments) {
        const trial_result run = shell("$RACELAB classroom " + arguments + " < /dev/null");
        CHECK(run.exit_code == 2);
        CHECK(lines(run.standard_error).size() == 1);
        return run.standard_error;
      };
      CHECK(contains(complaint(""), "stdin is no terminal"));
      CHECK(contains(complaint("--auto --lesson 99"), "no lesson '99' (there are 1 to 8"));
      CHECK(contains(complaint("--auto --catalogue /no/such/file"), "/no/such/file: No such file"));
    }
  }
  GIVEN("the list of lessons") {
    const trial_result run = shell("$RACELAB classroom --list");
    THEN("each has a line with its number, its name and its minutes") {
      CHECK(run.exit_code == 0);
      CHECK(lines(run.standard_output).size() == lessons().size());
      CHECK(contains(run.standard_output, " 7  missed                 3 min  No report"));
    }
  }
}
