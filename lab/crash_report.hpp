// Crash report: a crash run as a person reads it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lab/crash_run.hpp"
#include "lab/machine.hpp"

namespace racelab::lab {

/// The table: a line for each scenario with its story, a row for each of its maps, the baseline's rate in the
/// same row. Rows without trials are left out. Stories are wrapped at `columns`.
[[nodiscard]] std::string crash_table(const crash_run& run, const crash_settings& settings, bool coloured,
                                      std::size_t columns);

/// How and where a run is made, in a line.
[[nodiscard]] std::string crash_heading(const crash_settings& settings, const machine& where,
                                        std::size_t rows);

/// The command that repeats a trial of a row.
[[nodiscard]] std::string repeating_command(const crash_row& row, std::optional<std::uint64_t> seed);

/// The trial that a row kept, headed by what it is and the command that repeats it. The row must have one.
[[nodiscard]] std::string kept_trial(const crash_row& row, bool coloured);

/// The row whose trace closes a run: the first crash_ scenario's that has one, else the first that has one;
/// null if none has.
[[nodiscard]] const crash_row* closing_row(const crash_run& run);

/// For each scenario that failed under perturbation, the first row with a trace, or else the first that failed.
[[nodiscard]] std::vector<const crash_row*> one_row_of_each_scenario(const crash_run& run);

}  // namespace racelab::lab
