// `racelab classroom`: a walk through lessons, for a class to look at and to answer.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace racelab::lab {

struct classroom_options {
  std::filesystem::path catalogue;   // the programs are beside it
  std::filesystem::path sources;     // the folder that repro/ is in
  std::vector<std::string> lessons;  // numbers from 1, or names; empty: all
  bool automatic = false;            // goes on by itself
  bool list = false;                 // only the lessons' names
  std::uint64_t seed = 0;
};

/// Returns 0, 1 if a live step came out otherwise than its lesson says, 128 + the signal if one stopped it. Throws
/// std::runtime_error with one line for a lesson or a terminal that there is not, and for programs that were not built.
int classroom_command(const classroom_options& options);

}  // namespace racelab::lab
