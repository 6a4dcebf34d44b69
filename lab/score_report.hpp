// Score report: what a score run found, as text.
#pragma once

#include <string>
#include <vector>

#include "lab/catalogue.hpp"
#include "lab/score_run.hpp"

namespace racelab::lab {

/// The median of the seconds that a detector took for a program; nothing if it was not run.
[[nodiscard]] std::optional<double> median_seconds(const detector_score& score);

/// A table of the detectors, one of the blog post's criteria, how judge's words compare with the labels, and where each detector was
/// wrong.
[[nodiscard]] std::string score_text(const score_run& run, const std::vector<corpus_program>& programs,
                                     const score_settings& settings, bool coloured);

}  // namespace racelab::lab
