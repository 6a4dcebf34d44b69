// Crash run: the trials of scenarios over maps under a perturbation, counted.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "lab/catalogue.hpp"
#include "lab/perturbation.hpp"
#include "lab/statistics.hpp"
#include "lab/trial.hpp"

namespace racelab::lab {

struct crash_settings {
  unsigned trials = 100;  // for each row
  perturbation perturb = perturbation::stall;
  bool baseline = true;           // beside each row the same number of trials with perturbation::none
  unsigned jobs = 1;              // perturbed trials at a time
  unsigned unperturbed_jobs = 1;  // a neighbour on the other processors is a perturbation too
  std::optional<std::chrono::milliseconds> timeout;  // instead of the scenarios' own
  std::uint64_t seed = 0;
  std::optional<std::uint64_t> one_seed;  // every trial gets this very seed
  std::string traceback = "single";       // RACELAB_TRACEBACK until a row has its trace; "none" for no traces
};

/// A failing trial that is kept to be shown.
struct failing_trial {
  outcome what = outcome::crash;
  std::optional<std::uint64_t> seed;  // nothing if the perturbation has none
  std::string output;                 // stdout, then stderr
  bool has_trace = false;             // a Go-style stack with source lines is in it
};

/// What one program did under one perturbation.
struct crash_row {
  scenario_kind kind = scenario_kind::crash;
  std::string scenario;
  std::string story;
  scenario_program program;
  std::chrono::milliseconds timeout{0};
  perturbation perturb = perturbation::stall;
  bool baseline = false;  // stands beside the row before it

  unsigned trials = 0;                      // that have ended
  std::array<unsigned, 7> counts{};         // by outcome
  std::vector<double> milliseconds;         // of failing trials without a trace
  std::vector<double> traced_milliseconds;  // of failing trials that also printed a trace
  std::optional<failing_trial> kept;        // the first one; one with a trace is preferred
  std::string why_other;                    // what the first trial of outcome::other did

  [[nodiscard]] unsigned count(outcome what) const { return counts[static_cast<std::size_t>(what)]; }
  [[nodiscard]] unsigned failures() const;
  /// Neither intact nor failing: these spoke no protocol.
  [[nodiscard]] unsigned strange() const { return count(outcome::report) + count(outcome::other); }
  /// failures / trials; 0 without trials.
  [[nodiscard]] double rate() const;
  [[nodiscard]] interval rate_interval() const { return wilson95(failures(), trials); }
  /// Over failing trials: from the launch to the end (a hang's is its timeout). Trials that printed a trace
  /// count only if there are no others: symbolising takes longer than failing does.
  [[nodiscard]] std::optional<double> median_milliseconds() const;
};

struct crash_run {
  std::vector<crash_row> rows;  // a baseline row follows its row
  int stopped_by = 0;           // SIGINT, SIGTERM or SIGHUP if one ended the run early
};

/// The rows to be filled, without trials. Throws catalogue_error if a program that is needed isn't there.
[[nodiscard]] std::vector<crash_row> plan_crash(const std::vector<scenario>& scenarios,
                                                const crash_settings& settings);

struct crash_observer {
  /// After each trial: its row has it counted already. May be empty.
  std::function<void(const crash_row& row, std::size_t trial, const trial_result& result)> trial;
  /// Now and then, with the row whose trials were launched last. May be empty.
  std::function<void(const std::vector<crash_row>& rows, std::size_t row)> tick;
};

/// Fills planned rows. Throws and handles signals as run_trials does.
[[nodiscard]] crash_run run_crash(std::vector<crash_row> rows, const crash_settings& settings,
                                  const crash_observer& observer);

/// True if a Go-style stack stands in `output`: a line `thread N […]:` and below it a line with a tab and a
/// file:line.
[[nodiscard]] bool has_stack(std::string_view output);

/// One line for each row that did not do what its scenario's name promises:
/// crash_, corrupt_, hang_ and misuse_ fail at `least_rate`, for all that the 95 % interval says (not asked for if nothing; baselines
/// never), race_ and norace_ never fail, and every trial speaks the protocol.
[[nodiscard]] std::vector<std::string> broken_expectations(const std::vector<crash_row>& rows,
                                                           std::optional<double> least_rate);

}  // namespace racelab::lab
