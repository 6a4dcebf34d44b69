// What the headers of the corpus say is so: ThreadSanitizer reports what they say that it reports, a program without a race is
// never caught in one, and a race that can be shown is.
#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "lab/catalogue.hpp"
#include "lab/corpus_table.hpp"
#include "lab/files.hpp"
#include "lab/score_run.hpp"
#include "sanitizers/thread/racing_pair.hpp"
#include "stacks/symbolise.hpp"
#include "tests/support/catch.hpp"

namespace {

using namespace racelab;
using namespace racelab::lab;

const catalogue& built() {
  static const catalogue all = read_catalogue(RACELAB_CATALOGUE_FILE);
  return all;
}

const std::vector<corpus_program>& corpus() { return built().corpus; }

// Of the runtime that this build's compiler links.
const char* own_label() { return built().runtime == "gcc" ? "gcc_tsan" : "tsan"; }

template <class Wanted> std::vector<corpus_program> those(Wanted wanted) {
  std::vector<corpus_program> chosen;
  std::ranges::copy_if(corpus(), std::back_inserter(chosen), wanted);
  return chosen;
}

detector_score score_of(detector which, const std::vector<corpus_program>& programs, unsigned runs) {
  score_settings settings;
  settings.detectors = {which};
  settings.runs = runs;
  settings.jobs = 2;
  settings.seed = 1;
  score_run run = run_score(programs, settings, [](const std::string&) {});
  REQUIRE(run.stopped_by == 0);
  return std::move(run.detectors.at(0));
}

// The functions on a stack, named by their place in the program's file.
std::set<std::string> functions_of(const tsan::stack& of, const corpus_program& program) {
  constexpr std::uintptr_t start = 0x10000000;
  const stacks::symboliser names(std::vector<stacks::loaded_module>{{program.tsan, start}});
  std::set<std::string> found;
  for (const tsan::frame& each : of.frames) {
    if (each.module.find(program.name) == std::string::npos) continue;
    const std::uintptr_t pc = start + each.offset;
    for (const stacks::frame& inlined : names.resolve(std::span(&pc, 1), false)) {
      const std::string name = tsan::bare_name(inlined.function);
      found.insert(name.starts_with("~") ? "destructor" : name);
    }
  }
  return found;
}

bool is_named_race(const tsan::report& report, const corpus_program& program) {
  if (report.accesses.size() != 2) return false;
  const auto side = [&](const tsan::access& of) {
    return tsan::seen_side{.functions = functions_of(of.where, program), .writes = of.write};
  };
  const tsan::seen_side a = side(report.accesses[0]);
  const tsan::seen_side b = side(report.accesses[1]);
  // gcc's runtime reports a race also when it has forgotten the older stack: the other one is what can be compared.
  const bool forgotten = built().runtime == "gcc" &&
                         (report.accesses[0].where.frames.empty() || report.accesses[1].where.frames.empty());
  return std::ranges::any_of(program.race, [&](const std::string& text) {
    const auto pair = tsan::racing_pair_of(text);
    if (!pair) return false;
    return forgotten ? tsan::outlives_pair(*pair, a, b) : tsan::is_of_pair(*pair, a, b, false);
  });
}

void check_reports(detector which, const char* label) {
  const detector_score score = score_of(which, corpus(), 4);
  if (!score.left_out.empty()) {
    WARN("SKIPPED: " << name(which) << ": " << score.left_out);
    return;
  }
  for (const score_case& each : score.cases) {
    const corpus_program& program = corpus()[each.program];
    const std::string& expected = program.expect.at(label);
    INFO(program.name << ": reported in " << each.reported_in << " of " << each.runs
                      << ", expected: " << expected);
    if (expected == "report") CHECK(2 * each.reported_in >= each.runs);
    if (expected == "clean") CHECK(each.reported_in == 0);
    if (program.what == truth::no_race) CHECK(each.not_intact == 0);
  }
}

SCENARIO("ThreadSanitizer says of the corpus what the labels say") {
  GIVEN("the runtime of this build's compiler") { check_reports(detector::tsan_clang, own_label()); }
  // A build by g++ has its programs once, above.
  if (built().runtime == "gcc") return;
  GIVEN("gcc's runtime") { check_reports(detector::tsan_gcc, "gcc_tsan"); }
}

SCENARIO("a race is reported between the functions that its header names") {
  const std::vector<corpus_program> races = those([](const corpus_program& program) {
    return program.what == truth::race && program.expect.at(own_label()) == "report";
  });
  const detector_score score = score_of(detector::tsan_clang, races, 3);
  REQUIRE(score.left_out.empty());
  for (const score_case& each : score.cases) {
    const corpus_program& program = races[each.program];
    INFO(program.name);
    CHECK(std::ranges::any_of(each.reports,
                              [&](const tsan::report& report) { return is_named_race(report, program); }));
  }
}

SCENARIO("a correct program is never caught under stalls, and stays intact") {
  const std::vector<corpus_program> correct =
      those([](const corpus_program& program) { return program.what == truth::no_race; });
  REQUIRE(correct.size() >= 40);
  const detector_score score = score_of(detector::watchpoint, correct, 15);
  for (const score_case& each : score.cases) {
    INFO(correct[each.program].name << ": " << each.runs << " runs");
    CHECK(each.runs == 15);
    CHECK(each.reported_in == 0);
    CHECK(each.not_intact == 0);
  }
}

// Nothing is stalled here. As a rule the flag ends nearly every run, but while a machine has one processor to give it may end none
// for a second.
SCENARIO("the write flag ends racy programs with a map sooner or later, and no correct ones") {
  const auto scores = [](bool racy, unsigned runs) {
    const std::vector<corpus_program> programs =
        those([racy](const corpus_program& each) { return (each.what == truth::race) == racy; });
    const detector_score score = score_of(detector::write_flag, programs, runs);
    CHECK(score.left_out.empty());
    for (const score_case& each : score.cases) {
      INFO(programs[each.program].name << ": reported in " << each.reported_in << " of " << each.runs);
      CHECK(each.reported() == racy);
      if (!racy) CHECK(each.not_intact == 0);
    }
    return score.cases.size();
  };
  CHECK(scores(true, 5000) >= 2);
  CHECK(scores(false, 100) >= 5);
}

SCENARIO("a race that is easy to catch is caught under stalls that aim at nothing") {
  const std::vector<corpus_program> easy =
      those([](const corpus_program& program) { return program.expect.at("watchpoint") == "caught"; });
  REQUIRE(easy.size() >= 15);
  for (const score_case& each : score_of(detector::watchpoint, easy, 60).cases) {
    INFO(easy[each.program].name);
    CHECK(each.reported());
  }
}

SCENARIO("the corpus has what a judge of reports must be measured on") {
  const auto count = [](auto wanted) {
    return static_cast<std::size_t>(std::ranges::count_if(corpus(), wanted));
  };
  CHECK(corpus().size() >= 60);
  CHECK(count([](const auto& each) { return class_of(each) == "race with harm"; }) >= 15);
  CHECK(count([](const auto& each) { return class_of(each) == "correct, reported"; }) >= 15);
  for (const corpus_program& each : corpus()) {
    INFO(each.name);
    const bool told_wrong = each.what == truth::race
                                ? each.expect.at("tsan") != "report"
                                : each.what == truth::no_race && each.expect.at("tsan") != "clean";
    if (told_wrong) CHECK(!each.cause.empty());
  }
}

SCENARIO("docs/corpus.md has the labels as they are") {
  const std::string table = corpus_table(corpus());
  INFO("paste what `racelab list corpus` prints");
  CHECK(content_of(RACELAB_CORPUS_DOCUMENT).find(table) != std::string::npos);
}

}  // namespace
