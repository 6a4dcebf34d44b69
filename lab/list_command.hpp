// `racelab list`: the scenarios that there are, and their stories; `racelab list corpus`: the labelled programs.
#pragma once

#include <filesystem>
#include <string>

namespace racelab::lab {

struct list_options {
  std::filesystem::path catalogue;
  std::string what = "scenarios";  // or corpus
  std::string json;                // a file, "-" for stdout (in place of the list), empty for none
};

/// Prints the list on stdout and returns the exit code, 0. Throws catalogue_error and std::system_error.
int list_command(const list_options& options);

}  // namespace racelab::lab
