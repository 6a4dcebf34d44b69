// TSan run: the programs of scenarios over racy maps and over remedies under ThreadSanitizer, and those of the remedies
// under stalls, too: what must be reported is, and what must be clean is.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lab/catalogue.hpp"
#include "sanitizers/thread/options.hpp"
#include "sanitizers/thread/racing_pair.hpp"

namespace racelab::lab {

struct tsan_settings {
  unsigned trials = 20;       // under ThreadSanitizer, for each program
  unsigned stall_trials = 0;  // under the watchpoint runtime, for each program of a remedy
  unsigned jobs = 1;          // trials at a time
  std::optional<std::chrono::milliseconds> timeout;
  std::uint64_t seed = 0;            // of the stalls
  std::vector<std::string> fixes;    // names; "all", "none"; empty: racy maps and all remedies
  std::vector<std::string> options;  // NAME=VALUE, after those of the table
};

/// What a program is there for: a racy map, a remedy, or a scenario that has no race.
enum class tsan_kind { repro, fix, norace };

[[nodiscard]] std::string_view name(tsan_kind what) noexcept;

/// What one program did.
struct tsan_row {
  tsan_kind kind = tsan_kind::repro;
  std::string scenario;
  scenario_program program;
  std::chrono::milliseconds timeout{0};
  bool expects_report = true;
  std::vector<std::string> race;  // as the scenario says it
  std::vector<tsan::racing_pair> pairs;

  unsigned trials = 0;        // that have ended
  unsigned reports = 0;       // in all of them
  unsigned seen = 0;          // trials with a report of a racing pair that the scenario names
  unsigned with_reports = 0;  // trials with any report
  unsigned followed = 0;      // reports of what a named race leads to: recycled memory
  std::map<std::string, unsigned> unexpected;  // reports of nothing that the scenario names, by what they say
  std::map<std::string, unsigned>
      strange;  // trials that contradict themselves, or should have been intact, by how

  unsigned stall_trials = 0;
  unsigned intact = 0;  // of them
  unsigned pairs_caught = 0;
  std::map<std::string, unsigned> broken;  // those that were not intact, by how they ended

  /// A named report was seen, and as far as so many trials can tell (95 %) it is seen in half of them or more.
  [[nodiscard]] bool seen_often_enough() const;

  /// Reported where it must be, often enough; clean, intact and without a pair where it must be.
  [[nodiscard]] bool ok() const;
};

struct tsan_run {
  std::vector<tsan_row> rows;
  std::vector<std::string> unused_suppressions;  // kind:pattern
  int stopped_by = 0;                            // SIGINT, SIGTERM or SIGHUP if one ended the run early
};

/// The rows to be filled, without trials. Throws catalogue_error for a remedy that there is not, and if a program that
/// is needed isn't there.
[[nodiscard]] std::vector<tsan_row> plan_tsan(const catalogue& all, const std::vector<scenario>& chosen,
                                              const tsan_settings& settings);

/// Now and then, with the number of trials that have ended and the row whose trials were launched last.
using tsan_tick = std::function<void(const std::vector<tsan_row>& rows, std::size_t ended, std::size_t row)>;

/// Fills planned rows. Throws and handles signals as run_trials does. Logs go to a temporary folder that is gone
/// afterwards.
[[nodiscard]] tsan_run run_tsan(std::vector<tsan_row> rows, tsan::runtime runtime,
                                const tsan_settings& settings, const tsan_tick& tick);

/// How many trials run_tsan() will make.
[[nodiscard]] std::size_t trials_of(const std::vector<tsan_row>& rows, const tsan_settings& settings);

/// One line for each surprise: a row that is not ok, a suppression that matched nothing.
[[nodiscard]] std::vector<std::string> surprises(const tsan_run& run);

}  // namespace racelab::lab
