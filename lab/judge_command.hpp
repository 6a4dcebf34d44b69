// `racelab judge` and `racelab replay`: whether a race report is real, and a catch again.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "lab/judged_process.hpp"

namespace racelab::lab {

struct judge_options {
  std::string program;
  std::filesystem::path watch;       // empty: PROGRAM.watch
  std::vector<std::string> reports;  // logs; empty: the program is run under ThreadSanitizer
  judged_run_settings run;
  double budget_seconds = 30;
  std::uint64_t seed = 0;
  std::string json;    // a file, "-" for stdout, empty for none
  std::string sarif;   // a file, empty for none
  std::string recipe;  // a file, empty for none; of the second and later catches FILE.2 and so on
  std::string source_root;
  std::string version;
};

/// Prints the verdicts. Returns 0, 1 if a report is confirmed, 128 + the signal if one stopped it. Throws std::runtime_error or
/// std::system_error, in one line, for what can't be read or run.
int judge_command(const judge_options& options);

struct replay_options {
  std::filesystem::path recipe;
  unsigned trials = 1;
  std::string json;  // as above
};

/// Runs a recipe. Returns 0 if every trial caught the pair, 1 if not, 128 + the signal if one stopped it. Throws as above.
int replay_command(const replay_options& options);

}  // namespace racelab::lab
