// `racelab score`: runs every detector over the labelled corpus, and says how often each is right.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "lab/score_run.hpp"

namespace racelab::lab {

struct score_options {
  std::filesystem::path catalogue;
  std::vector<std::string> programs;   // patterns; none means all
  std::vector<std::string> detectors;  // names; none means all
  score_settings settings;             // detectors and judge are set by the command
  std::string json;                    // a file, "-" for stdout, empty for none
};

/// Prints the scores on stdout (on stderr if the JSON goes there). Returns 0, 1 if judge confirms something of a correct program or if the
/// watchpoint runtime catches something there (that must never be), 128 + the signal if one stopped it. Throws catalogue_error
/// and std::system_error.
int score_command(const score_options& options);

}  // namespace racelab::lab
