// Classroom lessons: what `racelab classroom` walks through. A lesson is data: classroom_lessons.cpp is the table.
#pragma once

#include <string>
#include <vector>

namespace racelab::lab {

enum class lesson_step_kind {
  story,     // what somebody built, and why it seems right
  source,    // the program as it stands in repro/, or a header of repro/support/
  run,       // live: the plain program, ten times, as a user would start it; whatever happens
  crash,     // live: under stalls; the bug must show itself
  report,    // live: ThreadSanitizer must report, in one of a few runs
  silence,   // live: ThreadSanitizer must miss it in one of five runs
  question,  // for the class, "true or false? why?", before the evidence
  judge,     // live: the judge must come to `verdict`
  answer,
  remedy,  // live: no report in five runs, and intact in ten under stalls
};

struct lesson_step {
  lesson_step_kind kind;
  std::string text;  // said before anything is run
  std::string
      program;  // as its files under programs/ are named: SCENARIO.MAP, or of the corpus; of a header, its path
  std::string verdict;  // that the judge must come to
};

struct lesson {
  std::string name;   // for --lesson
  std::string title;  // gives nothing away
  unsigned minutes;
  std::string needs;  // without it the build leaves programs out, and the lesson is skipped; empty: nothing
  std::vector<lesson_step> steps;
};

[[nodiscard]] const std::vector<lesson>& lessons();

}  // namespace racelab::lab
