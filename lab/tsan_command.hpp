// `racelab tsan`: runs scenarios under ThreadSanitizer, over the maps that race and over the remedies.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "lab/tsan_run.hpp"

namespace racelab::lab {

struct tsan_options {
  std::filesystem::path catalogue;
  std::vector<std::string> scenarios;  // patterns; none means all
  std::string runtime;                 // llvm, gcc, or empty for the catalogue's own
  tsan_settings settings;
  std::string json;  // a file, "-" for stdout, empty for none
  bool verbose = false;
};

/// Prints the matrix on stdout (on stderr if the JSON goes there) and each surprise on stderr. Returns the exit code:
/// 0 all as expected, 1 a surprise, 128 + the signal if one stopped it. Throws catalogue_error and std::system_error.
int tsan_command(const tsan_options& options);

}  // namespace racelab::lab
