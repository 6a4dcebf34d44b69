#include "lab/score_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

#include "lab/statistics.hpp"
#include "lab/table.hpp"

namespace racelab::lab {
namespace {

std::string or_dash(std::optional<double> value, int digits) {
  return value ? fmt::format("{:.{}f}", *value, digits) : "-";
}

std::string part(unsigned count, unsigned of) {
  return of == 0 ? "0 of 0" : fmt::format("{} of {} ({:.3f})", count, of, static_cast<double>(count) / of);
}

std::vector<table_column> columns_after(std::string first) {
  return {{std::move(first), false},
          {"programs"},
          {"true pos."},
          {"false pos."},
          {"true neg."},
          {"false neg."},
          {"precision"},
          {"recall"}};
}

std::vector<table_cell> row_of(std::string_view name, const confusion& of) {
  const unsigned all = of.true_positives + of.false_positives + of.true_negatives + of.false_negatives;
  return {{std::string(name), style::bold},
          {std::to_string(all)},
          {std::to_string(of.true_positives)},
          {std::to_string(of.false_positives), of.false_positives == 0 ? style::plain : style::red},
          {std::to_string(of.true_negatives)},
          {std::to_string(of.false_negatives)},
          {or_dash(of.precision(), 3)},
          {or_dash(of.recall(), 3)}};
}

// Names of the programs about which a detector was wrong in one way.
std::string wrong_about(const detector_score& score, const std::vector<corpus_program>& programs,
                        bool reported) {
  std::vector<std::string> names;
  for (const score_case& each : score.cases) {
    const corpus_program& program = programs[each.program];
    if (each.reported() == reported && is_faulty(program) != reported) names.push_back(program.name);
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

// How long the programs that were confirmed took until that was clear.
std::string until_caught(const detector_score& score) {
  std::vector<double> seconds;
  for (const score_case& each : score.cases)
    if (each.reported()) seconds.push_back(each.seconds);
  if (seconds.empty()) return "";
  std::ranges::sort(seconds);
  const std::size_t most = (95 * seconds.size() + 99) / 100;  // the smallest count that is 95 % of them
  return fmt::format("confirmed after {:.2f} s (median), 95 % within {:.1f} s, all within {:.1f} s\n",
                     *median(seconds), seconds[most - 1], seconds.back());
}

}  // namespace

std::optional<double> median_seconds(const detector_score& score) {
  std::vector<double> seconds;
  for (const score_case& each : score.cases) seconds.push_back(each.seconds);
  return median(std::move(seconds));
}

std::string score_text(const score_run& run, const std::vector<corpus_program>& programs,
                       const score_settings& settings, bool coloured) {
  std::vector<table_column> columns = columns_after("detector");
  columns.push_back({"median s"});
  table detectors(columns);
  std::string left_out;
  std::string wrong;
  for (const detector_score& score : run.detectors) {
    if (!score.left_out.empty()) {
      left_out += fmt::format("SKIPPED: {} ({})\n", name(score.which), score.left_out);
      continue;
    }
    std::vector<table_cell> row = row_of(name(score.which), confusion_of(score, programs));
    row.push_back({or_dash(median_seconds(score), 2)});
    detectors.add(std::move(row));
    for (const bool reported : {true, false})
      if (const std::string names = wrong_about(score, programs, reported); !names.empty())
        wrong +=
            fmt::format("{} {}: {}\n", name(score.which), reported ? "reports wrongly" : "misses", names);
  }
  std::string text = detectors.text(coloured) + left_out;
  text += fmt::format(
      "Up to {} runs of a program, until it is reported; judge repeats by itself, {} s at most.\n",
      settings.runs, settings.budget_seconds);

  for (const detector_score& score : run.detectors) {
    if (score.which == detector::tsan_clang && !score.cases.empty()) {
      table criteria(columns_after("the post's criteria, over tsan's reports"));
      for (const criterion& each : seed_criteria())
        criteria.add(row_of(each.name, confusion_of(each, score, programs)));
      text += "\n" + criteria.text(coloured);
      for (const criterion& each : seed_criteria()) text += fmt::format("{}: {}\n", each.name, each.rule);
    }
    if (score.which == detector::judge && !score.cases.empty()) {
      const judge_agreement of = agreement_of(score, programs);
      text += fmt::format(
          "\njudge: confirmed {} of what x86-64 can show; ordering-only {} of the races by memory order "
          "alone;\n"
          "likely-false right in {}, and said of {} correct programs with a report\n{}",
          part(of.confirmed, of.can_be_shown), part(of.called_so, of.ordering_only),
          part(of.rightly, of.said_false), part(of.said_of_them, of.false_reports), until_caught(score));
    }
  }
  return wrong.empty() ? text : text + "\n" + wrong;
}

}  // namespace racelab::lab
