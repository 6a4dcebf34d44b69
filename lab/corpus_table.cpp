#include "lab/corpus_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace racelab::lab {
namespace {

constexpr std::string_view harmful = "race with harm";
constexpr std::string_view harmless = "race without visible harm";
constexpr std::string_view by_order = "race by memory order";
constexpr std::string_view deadlock = "deadlock";
constexpr std::string_view reported = "correct, reported";
constexpr std::string_view silent = "correct, not reported";
constexpr std::array classes{harmful, harmless, by_order, deadlock, reported, silent};

std::string expected(const corpus_program& program, const char* detector) {
  const auto found = program.expect.find(detector);
  return found == program.expect.end() ? "" : found->second;
}

}  // namespace

std::string_view class_of(const corpus_program& program) {
  if (program.what == truth::deadlock) return deadlock;
  if (program.what == truth::no_race) {
    const bool clean = expected(program, "tsan") == "clean" && expected(program, "gcc_tsan") == "clean";
    return clean ? silent : reported;
  }
  if (!program.shown) return by_order;
  return program.harm.starts_with("no visible harm") ? harmless : harmful;
}

std::string corpus_table(const std::vector<corpus_program>& programs) {
  std::string text = fmt::format("{} programs", programs.size());
  for (const std::string_view each : classes) {
    const auto count = std::ranges::count(programs, each, class_of);
    text += fmt::format("{} {} {}", each == classes.front() ? ":" : ",", count, each);
  }
  const auto missed = std::ranges::count_if(programs, [](const corpus_program& program) {
    return program.what == truth::race && expected(program, "tsan") != "report";
  });
  text += fmt::format(". ThreadSanitizer (clang) misses {} of the races always or at times.\n\n", missed);
  text +=
      "| program | class | cause | tsan | gcc_tsan | watchpoint | judge |\n|---|---|---|---|---|---|---|\n";
  for (const std::string_view each : classes)
    for (const corpus_program& program : programs)
      if (class_of(program) == each)
        text += fmt::format("| `{}` | {}{} | {} | {} | {} | {} | {} |\n", program.name, each,
                            each == harmful ? " (" + program.harm + ")" : "", program.cause,
                            expected(program, "tsan"), expected(program, "gcc_tsan"),
                            expected(program, "watchpoint"), expected(program, "judge"));
  return text;
}

}  // namespace racelab::lab
