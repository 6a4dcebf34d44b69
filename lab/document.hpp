// Documents: what the command says as JSON, and how a file of it is written.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lab/catalogue.hpp"
#include "lab/crash_core.hpp"
#include "lab/crash_run.hpp"
#include "lab/machine.hpp"
#include "lab/score_run.hpp"
#include "lab/tsan_run.hpp"

namespace racelab::lab {

/// The catalogue, without the paths of programs.
[[nodiscard]] std::string list_document(const std::vector<scenario>& scenarios);

/// The labelled corpus, without the paths of programs.
[[nodiscard]] std::string corpus_document(const std::vector<corpus_program>& programs);

/// A crash run. Rows have the keys scenario, map, perturb, trials, outcomes{intact, corrupt, crash, fatal,
/// hang}, rate, ci95[low, high], median_ms_to_failure (null without a failure), and more. Rows without trials
/// are left out. `cores` has the keys name(SCENARIO.MAP), program, core (null: there is none), outcome, seed, made_by, why_none.
[[nodiscard]] std::string crash_document(const crash_run& run, const std::vector<kept_core>& cores,
                                         const crash_settings& settings, const machine& where,
                                         const std::vector<std::string>& broken);

/// A run under ThreadSanitizer. Rows have the keys program, scenario, map, kind(repro|fix|norace), expected(report|clean),
/// reports, trials, seen, ok, and more.
[[nodiscard]] std::string tsan_document(const tsan_run& run, const tsan_settings& settings,
                                        const catalogue& all, const machine& where,
                                        const std::vector<std::string>& wrong);

/// A score. Detectors have the keys detector, left_out (null or why), programs, true_positives, false_positives, true_negatives,
/// false_negatives, precision, recall, median_seconds, and cases with one program each; criteria the same counts; judge how its
/// words compare with the labels.
[[nodiscard]] std::string score_document(const score_run& run, const std::vector<corpus_program>& programs,
                                         const score_settings& settings, const machine& where);

/// Writes `text` to `file` in one step: a regular file has its old content or all of the new, never a part.
/// What is no regular file (a pipe, a device) is written to. Throws std::system_error naming the file.
void write_document(const std::filesystem::path& file, std::string_view text);

/// Throws std::system_error naming the file if write_document could not write there.
void check_writable(const std::filesystem::path& file);

}  // namespace racelab::lab
