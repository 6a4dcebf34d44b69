// TSan report: a run under ThreadSanitizer as a person reads it.
#pragma once

#include <string>
#include <vector>

#include "lab/machine.hpp"
#include "lab/tsan_run.hpp"

namespace racelab::lab {

/// How and where a run is made, in two lines.
[[nodiscard]] std::string tsan_heading(const tsan_settings& settings, const catalogue& all,
                                       const machine& where, std::size_t rows);

/// The matrix: scenarios down, maps across, the racy ones first. A cell is `k/N` where a report must be seen, `clean`
/// where none may be, and says what else there was.
[[nodiscard]] std::string tsan_matrix(const tsan_run& run, bool coloured);

/// What the matrix stands for, in a few lines, and what was left out and why.
[[nodiscard]] std::string tsan_legend(const tsan_run& run, const tsan_settings& settings,
                                      const catalogue& all, const std::vector<scenario>& chosen);

}  // namespace racelab::lab
