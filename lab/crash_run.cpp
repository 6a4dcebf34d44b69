#include "lab/crash_run.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "lab/trials.hpp"

namespace racelab::lab {
namespace {

constexpr std::chrono::milliseconds usual_timeout{10'000};

void count(crash_row& row, std::optional<std::uint64_t> seed, const trial_result& result) {
  ++row.trials;
  ++row.counts[static_cast<std::size_t>(result.what)];
  if (result.what == outcome::other && row.why_other.empty()) row.why_other = result.why;
  if (!is_failure(result.what)) return;

  const std::string output = result.standard_output + result.standard_error;
  const bool traced = has_stack(output);
  (traced ? row.traced_milliseconds : row.milliseconds).push_back(result.milliseconds);
  if (!row.kept || (traced && !row.kept->has_trace)) {
    row.kept = failing_trial{.what = result.what, .seed = seed, .output = output, .has_trace = traced};
  }
}

}  // namespace

unsigned crash_row::failures() const {
  return count(outcome::corrupt) + count(outcome::crash) + count(outcome::fatal) + count(outcome::hang);
}

double crash_row::rate() const {
  return trials == 0 ? 0 : static_cast<double>(failures()) / static_cast<double>(trials);
}

std::optional<double> crash_row::median_milliseconds() const {
  return median(milliseconds.empty() ? traced_milliseconds : milliseconds);
}

std::vector<crash_row> plan_crash(const std::vector<scenario>& scenarios, const crash_settings& settings) {
  std::vector<crash_row> rows;
  for (const scenario& one : scenarios) {
    for (const scenario_program& program : one.programs) {
      crash_row row;
      row.kind = one.kind;
      row.scenario = one.name;
      row.story = one.story;
      row.program = program;
      row.timeout = settings.timeout.value_or(one.timeout.value_or(usual_timeout));
      row.perturb = settings.perturb;
      rows.push_back(row);
      if (settings.baseline && settings.perturb != perturbation::none) {
        row.perturb = perturbation::none;
        row.baseline = true;
        rows.push_back(row);
      }
    }
  }
  for (const crash_row& row : rows) {
    const std::filesystem::path& program = has_seed(row.perturb) ? row.program.watch : row.program.plain;
    if (access(program.c_str(), X_OK) != 0) {
      throw catalogue_error(
          fmt::format("{}: {} (is the target `programs` built?)", program.string(), std::strerror(errno)));
    }
  }
  return rows;
}

crash_run run_crash(std::vector<crash_row> rows, const crash_settings& settings,
                    const crash_observer& observer) {
  struct launched_trial {
    std::size_t row;
    std::size_t index;
    std::optional<std::uint64_t> seed;
  };
  crash_run run{.rows = std::move(rows)};
  std::vector<launched_trial> launched;
  std::vector<std::size_t> todo;  // of the current batch: the rows still to be run, in reverse
  std::size_t first = 0;          // of the current batch, in `launched`
  std::size_t row = 0;
  std::size_t index = 0;

  trial_callbacks callbacks;
  callbacks.next = [&]() -> std::optional<trial_request> {
    if (index == settings.trials) {
      index = 0;
      todo.pop_back();
    }
    if (todo.empty()) return std::nullopt;
    row = todo.back();
    const crash_row& at = run.rows[row];
    const std::uint64_t seed =
        settings.one_seed.value_or(trial_seed(settings.seed, at.scenario, at.program.map, index));
    // A trace with source lines takes longer than the trial itself, and one of a kind is enough.
    const bool trace = !at.kept || !at.kept->has_trace;
    launched.push_back(
        {.row = row, .index = index, .seed = has_seed(at.perturb) ? std::optional(seed) : std::nullopt});
    ++index;
    return perturbed_trial(at.program, at.perturb, seed, trace ? settings.traceback : "none", at.timeout);
  };
  callbacks.done = [&](std::size_t number, const trial_result& result) {
    const launched_trial& trial = launched[first + number];
    count(run.rows[trial.row], trial.seed, result);
    if (observer.trial) observer.trial(run.rows[trial.row], trial.index, result);
  };
  callbacks.tick = [&] {
    if (observer.tick) observer.tick(run.rows, row);
  };
  for (const bool perturbed : {true, false}) {
    for (std::size_t i = run.rows.size(); i-- > 0;)
      if ((run.rows[i].perturb != perturbation::none) == perturbed) todo.push_back(i);
    if (todo.empty()) continue;
    first = launched.size();
    index = 0;
    run.stopped_by = run_trials(perturbed ? settings.jobs : settings.unperturbed_jobs, callbacks);
    if (run.stopped_by != 0) break;
  }
  return run;
}

bool has_stack(std::string_view output) {
  bool in_thread = false;
  while (!output.empty()) {
    const std::size_t end = output.find('\n');
    const std::string_view line = output.substr(0, end);
    if (line.starts_with("thread ") && line.ends_with("]:")) in_thread = true;
    if (in_thread && line.starts_with('\t')) {
      const std::size_t colon = line.find(':');
      if (colon != std::string_view::npos && line.find_first_of("123456789", colon) == colon + 1) return true;
    }
    output.remove_prefix(end == std::string_view::npos ? output.size() : end + 1);
  }
  return false;
}

std::vector<std::string> broken_expectations(const std::vector<crash_row>& rows,
                                             std::optional<double> least_rate) {
  std::vector<std::string> broken;
  for (const crash_row& row : rows) {
    const std::string where =
        fmt::format("{} over {}, --perturb {}", row.scenario, row.program.map, name(row.perturb));
    const bool must_not_fail = row.kind == scenario_kind::race || row.kind == scenario_kind::norace;
    if (row.strange() != 0) {
      broken.push_back(fmt::format("{}: {} of {} trials spoke no protocol ({})", where, row.strange(),
                                   row.trials,
                                   row.why_other.empty() ? "a sanitizer's report" : row.why_other));
    } else if (must_not_fail && row.failures() != 0) {
      broken.push_back(
          fmt::format("{}: {} of {} trials failed and none should", where, row.failures(), row.trials));
    } else if (!must_not_fail && !row.baseline && least_rate && row.rate_interval().high < *least_rate) {
      broken.push_back(fmt::format("{}: {} of {} trials failed, expected are at least {:g} %", where,
                                   row.failures(), row.trials, *least_rate * 100));
    }
  }
  return broken;
}

}  // namespace racelab::lab
