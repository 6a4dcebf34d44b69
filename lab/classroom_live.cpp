#include "lab/classroom_live.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include "lab/crash_run.hpp"
#include "lab/judge_report.hpp"
#include "lab/judged_process.hpp"
#include "lab/perturbation.hpp"
#include "lab/terminal.hpp"
#include "lab/triage_report.hpp"
#include "lab/trials.hpp"
#include "sanitizers/thread/sites.hpp"
#include "sanitizers/verdict/judge.hpp"
#include "sanitizers/verdict/matching.hpp"
#include "stacks/text.hpp"

namespace racelab::lab {
namespace {

using stacks::plural;

constexpr unsigned plain_runs = 10;
constexpr unsigned stalled_runs = 5;
constexpr unsigned most_runs_for_a_report = 100;
constexpr unsigned runs_without_a_report = 5;
constexpr unsigned stalled_runs_of_a_remedy = 10;
constexpr std::chrono::seconds longest_run{10};
// What the judge did not find out in the first time it may find out in the second: it is told so.
constexpr std::array<std::chrono::seconds, 2> budgets{std::chrono::seconds(8), std::chrono::seconds(32)};

struct counted_runs {
  std::array<unsigned, 7> counts{};  // by outcome
  unsigned all = 0;
  trial_result shown;  // the first that failed, one with a stack if there is any
  int stopped_by = 0;

  [[nodiscard]] unsigned count(outcome what) const { return counts[static_cast<std::size_t>(what)]; }

  [[nodiscard]] std::string text() const {
    std::vector<std::string> parts;
    for (std::size_t i = 0; i < counts.size(); ++i)
      if (counts[i] != 0) parts.push_back(fmt::format("{} {}", counts[i], name(static_cast<outcome>(i))));
    return fmt::format("{}: {}", plural(all, "run"), fmt::join(parts, ", "));
  }
};

bool is_better_shown(const trial_result& candidate, const trial_result& than) {
  if (!is_failure(candidate.what)) return false;
  return !is_failure(than.what) || (has_stack(candidate.standard_error) && !has_stack(than.standard_error));
}

counted_runs run_counted(const lesson_step& step, const live_settings& settings, perturbation how,
                         unsigned runs) {
  const scenario_program program{.map = {},
                                 .plain = settings.programs / "plain" / step.program,
                                 .watch = settings.programs / "watch" / step.program,
                                 .tsan = settings.programs / "tsan" / step.program};
  counted_runs result;
  unsigned launched = 0;
  result.stopped_by = run_trials(
      1, {.next = [&]() -> std::optional<trial_request> {
            if (launched == runs) return std::nullopt;
            settings.progress(fmt::format("run {} of {}", launched + 1, runs));
            return perturbed_trial(program, how, trial_seed(settings.seed, step.program, "", launched++),
                                   "single", longest_run);
          },
          .done =
              [&](std::size_t /*number*/, trial_result ended) {
                ++result.all;
                ++result.counts[static_cast<std::size_t>(ended.what)];
                if (is_better_shown(ended, result.shown)) result.shown = std::move(ended);
              },
          .tick = {}});
  return result;
}

judged_process process_of(const lesson_step& step, const live_settings& settings) {
  return {{.tsan = settings.programs / "tsan" / step.program,
           .watch = settings.programs / "watch" / step.program,
           .library_path = {},
           .runtime = settings.runtime},
          {}};
}

struct tsan_runs {
  unsigned all = 0;
  unsigned with_reports = 0;
  std::vector<tsan::report> first;  // of the first run that had some
  std::string failed;               // how a run ended that should have been intact
  int stopped_by = 0;
};

// `until_reported`: ends with the first run that has a report.
tsan_runs run_tsan(const lesson_step& step, const live_settings& settings, unsigned runs,
                   bool until_reported) {
  judged_process program = process_of(step, settings);
  verdict::place_names names(program.modules());
  tsan_runs result;
  while (result.all < runs && (!until_reported || result.with_reports == 0)) {
    settings.progress(fmt::format("ThreadSanitizer, run {}", result.all + 1));
    verdict::tsan_run run = program.run_tsan({.timeout = longest_run});
    result.stopped_by = program.stopped_by();
    if (result.stopped_by != 0) break;
    ++result.all;
    if (run.end.exit_code != 0 && run.reports.empty()) result.failed = run.end.text();
    if (run.reports.empty()) continue;
    ++result.with_reports;
    if (!result.first.empty()) continue;
    for (tsan::report& each : run.reports) verdict::symbolise(each, program.modules(), names);
    result.first = std::move(run.reports);
  }
  return result;
}

// A report on code of the class's own is told more of than one on a library's insides.
bool names_source(const tsan::report& of) {
  return std::ranges::all_of(tsan::parties(of), [](const tsan::party& each) {
    return !each.where->frames.empty() && !each.where->frames[tsan::user_frame(*each.where)].file.empty();
  });
}

bool names_source(const verdict::judged_report& of) {
  return std::ranges::all_of(of.sites, [](const verdict::judged_site& each) { return each.line != 0; });
}

// The first of them that names source lines, else the first.
template <class Reports> auto most_telling(const Reports& reports) {
  const auto found = std::ranges::find_if(reports, [](const auto& each) { return names_source(each); });
  return found == reports.end() ? reports.begin() : found;
}

std::string report_text(const std::vector<tsan::report>& reports, bool coloured) {
  const tsan::report& shown = *most_telling(reports);
  std::string text = paint("WARNING: ThreadSanitizer: " + shown.title, style::red, coloured) + "\n";
  text += triage_report_text(shown, false, coloured);
  if (reports.size() > 1)
    text += fmt::format("\nand {} in this run\n", plural(reports.size() - 1, "more report"));
  return text;
}

live_result run_plain(const lesson_step& step, const live_settings& settings) {
  const counted_runs runs = run_counted(step, settings, perturbation::none, plain_runs);
  live_result result{.text = {}, .counts = runs.text(), .broken = {}, .stopped_by = runs.stopped_by};
  if (runs.count(outcome::other) + runs.count(outcome::report) != 0)
    result.broken = "a run spoke no protocol";
  return result;
}

live_result run_stalled(const lesson_step& step, const live_settings& settings) {
  const counted_runs runs = run_counted(step, settings, perturbation::stall, stalled_runs);
  live_result result{
      .text = {}, .counts = runs.text() + ", under stalls", .broken = {}, .stopped_by = runs.stopped_by};
  if (is_failure(runs.shown.what))
    result.text = printable(runs.shown.standard_output + runs.shown.standard_error);
  else
    result.broken = "the bug should show itself";
  return result;
}

// How many of the runs had a report.
live_result counted(const tsan_runs& runs) {
  return {.text = {},
          .counts = fmt::format("reported in {} of {}", runs.with_reports, plural(runs.all, "run")),
          .broken = {},
          .stopped_by = runs.stopped_by};
}

live_result run_until_reported(const lesson_step& step, const live_settings& settings) {
  const tsan_runs runs = run_tsan(step, settings, most_runs_for_a_report, true);
  live_result result = counted(runs);
  if (runs.with_reports != 0)
    result.text = report_text(runs.first, settings.coloured);
  else
    result.broken = "ThreadSanitizer should report";
  return result;
}

live_result run_silent(const lesson_step& step, const live_settings& settings) {
  const tsan_runs runs = run_tsan(step, settings, runs_without_a_report, false);
  live_result result = counted(runs);
  if (runs.with_reports == runs.all) result.broken = "ThreadSanitizer should miss it in some run";
  return result;
}

live_result run_remedy(const lesson_step& step, const live_settings& settings) {
  const tsan_runs runs = run_tsan(step, settings, runs_without_a_report, false);
  live_result result = counted(runs);
  if (runs.with_reports != 0) {
    result.text = report_text(runs.first, settings.coloured);
    result.broken = "ThreadSanitizer should have nothing to report";
  } else if (!runs.failed.empty()) {
    result.broken = fmt::format("it should be intact under ThreadSanitizer, and ended with {}", runs.failed);
  }
  if (result.stopped_by != 0) return result;
  const counted_runs stalled = run_counted(step, settings, perturbation::stall, stalled_runs_of_a_remedy);
  result.counts += fmt::format(", and under stalls in {}", stalled.text());
  result.stopped_by = stalled.stopped_by;
  if (result.broken.empty() && stalled.count(outcome::intact) != stalled.all)
    result.broken = "it should be intact under stalls";
  return result;
}

// The report that is told of; `of` must have one. A race that was caught comes before all others.
verdict::judged_report told_report(const verdict::judgement& of) {
  std::vector<verdict::judged_report> candidates = of.reports;
  if (of.overall() == verdict::name(verdict::verdict::confirmed))
    std::erase_if(candidates, [](const verdict::judged_report& each) {
      return each.what != verdict::verdict::confirmed;
    });
  verdict::judged_report told = *most_telling(candidates);
  told.crash.clear();
  for (verdict::evidence_item& item : told.why)
    item.points.resize(std::min<std::size_t>(item.points.size(), 8));
  return told;
}

live_result run_judge(const lesson_step& step, const live_settings& settings) {
  judged_process program = process_of(step, settings);
  live_result result;
  for (const std::chrono::seconds budget : budgets) {
    const verdict::judge_settings how{.budget = budget, .seed = settings.seed, .given = {}};
    const verdict::judgement found = verdict::judge_program(program, how, [&](const std::string& doing) {
      settings.progress(fmt::format("{} (of {} s)", doing, budget.count()));
    });
    result.stopped_by = program.stopped_by();
    if (result.stopped_by != 0) return result;
    std::string reached = "no-report";
    if (!found.reports.empty()) {
      const verdict::judged_report told = told_report(found);
      reached = verdict::name(told.what);
      result.text = judged_report_text(told, "", settings.coloured);
      if (found.reports.size() > 1)
        result.text +=
            fmt::format("\nand {} in these runs\n", plural(found.reports.size() - 1, "more report"));
    }
    result.counts += fmt::format("{}{} within {:.0f} s", result.counts.empty() ? "the verdict is " : ", ",
                                 reached, found.seconds);
    if (reached == step.verdict) return result;
    if (reached != "unconfirmed" && reached != "no-report") break;
  }
  result.broken = fmt::format("the verdict should be {}", step.verdict);
  return result;
}

}  // namespace

bool is_live(lesson_step_kind kind) noexcept {
  using enum lesson_step_kind;
  switch (kind) {
    case run:
    case crash:
    case report:
    case silence:
    case judge:
    case remedy:
      return true;
    case story:
    case source:
    case question:
    case answer:
      return false;
  }
  return false;
}

live_result run_live(const lesson_step& step, const live_settings& settings) {
  using enum lesson_step_kind;
  switch (step.kind) {
    case run:
      return run_plain(step, settings);
    case crash:
      return run_stalled(step, settings);
    case report:
      return run_until_reported(step, settings);
    case silence:
      return run_silent(step, settings);
    case judge:
      return run_judge(step, settings);
    case remedy:
      return run_remedy(step, settings);
    case story:
    case source:
    case question:
    case answer:
      break;
  }
  throw std::logic_error("this step of a lesson runs nothing");
}

}  // namespace racelab::lab
