// Score run: every detector over the labelled corpus, and how often each is right.
//
// A detector says of a program whether something is wrong with it; the program's header says what is true.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lab/catalogue.hpp"
#include "sanitizers/thread/report.hpp"

namespace racelab::lab {

enum class detector {
  tsan_clang,  // ThreadSanitizer, as the catalogue's own compiler has it
  tsan_gcc,    // ThreadSanitizer, of g++
  helgrind,    // valgrind's, over the plain program
  drd,         // the same
  write_flag,  // racelab's, over those that have a map
  watchpoint,  // racelab's runtime with its own stalls: a pair caught, or a value that changed
  judge,       // racelab judge: confirmed
};

[[nodiscard]] std::string_view name(detector which) noexcept;
[[nodiscard]] std::optional<detector> detector_named(std::string_view name) noexcept;
[[nodiscard]] const std::vector<detector>& all_detectors();

struct score_settings {
  std::vector<detector> detectors = all_detectors();
  unsigned runs = 5;            // of each program under each detector but judge, which repeats by itself
  unsigned jobs = 1;            // programs at a time; the seconds mean most with one
  double budget_seconds = 30;   // of judge, for each program
  std::uint64_t seed = 0;       // of the stalls
  std::filesystem::path judge;  // the racelab command
};

/// What a detector said of one program.
struct score_case {
  std::size_t program = 0;  // its index in the corpus
  unsigned runs = 0;
  unsigned reported_in = 0;           // of them
  unsigned not_intact = 0;            // runs that ended otherwise than intact or with a report
  double seconds = 0;                 // until the first report, or of all runs without one
  std::string verdict;                // of judge: confirmed … no-report
  std::vector<tsan::report> reports;  // of ThreadSanitizer, of all runs

  [[nodiscard]] bool reported() const noexcept { return reported_in != 0; }
};

struct detector_score {
  detector which = detector::tsan_clang;
  std::string left_out;           // why it was not run; empty if it was
  std::vector<score_case> cases;  // those that were run
};

struct score_run {
  std::vector<detector_score> detectors;
  int stopped_by = 0;  // SIGINT, SIGTERM or SIGHUP if one ended the run early
};

/// Right and wrong, counted.
struct confusion {
  unsigned true_positives = 0;
  unsigned false_positives = 0;
  unsigned true_negatives = 0;
  unsigned false_negatives = 0;

  void count(bool reported, bool is_true) noexcept;
  /// Of what it reports, how much is true; nothing if it reports nothing.
  [[nodiscard]] std::optional<double> precision() const;
  /// Of what is true, how much it reports; nothing if nothing is true.
  [[nodiscard]] std::optional<double> recall() const;
};

/// What is true of a program, for a detector of races and deadlocks.
[[nodiscard]] inline bool is_faulty(const corpus_program& program) noexcept {
  return program.what != truth::no_race;
}

[[nodiscard]] confusion confusion_of(const detector_score& score,
                                     const std::vector<corpus_program>& programs);

/// How judge's words compare with the labels.
struct judge_agreement {
  unsigned can_be_shown = 0;   // races that x86-64 can show, and deadlocks
  unsigned confirmed = 0;      // of them
  unsigned said_false = 0;     // programs that judge calls likely-false
  unsigned rightly = 0;        // of them
  unsigned false_reports = 0;  // correct programs with a report of ThreadSanitizer
  unsigned said_of_them = 0;   // of them, called likely-false
  unsigned ordering_only = 0;  // races by memory order alone
  unsigned called_so = 0;      // of them
};

[[nodiscard]] judge_agreement agreement_of(const detector_score& score,
                                           const std::vector<corpus_program>& programs);

/// The blog post's criteria for a true report, each as a rule over ThreadSanitizer's reports of one program.
struct criterion {
  std::string_view name;
  std::string_view rule;
  bool (*says_true)(const score_case&);
};

[[nodiscard]] const std::vector<criterion>& seed_criteria();

/// The criterion's word against the truth, over the programs that ThreadSanitizer reported.
[[nodiscard]] confusion confusion_of(const criterion& rule, const detector_score& tsan,
                                     const std::vector<corpus_program>& programs);

/// Runs the detectors that are present over `programs`. `tell` gets a line for a display now and then. Throws std::system_error
/// if a program can't be started.
[[nodiscard]] score_run run_score(const std::vector<corpus_program>& programs, const score_settings& settings,
                                  const std::function<void(const std::string&)>& tell);

}  // namespace racelab::lab
