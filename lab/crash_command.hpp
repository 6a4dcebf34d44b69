// `racelab crash`: runs scenarios until they fail, and says how often they do.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "lab/crash_run.hpp"

namespace racelab::lab {

struct crash_options {
  std::filesystem::path catalogue;
  std::vector<std::string> scenarios;  // patterns; none means all
  std::vector<std::string> maps;       // none means all
  crash_settings settings;
  std::optional<double> least_rate;  // the rate that is expected; nothing: 0.99 for stall, otherwise none
  std::string json;                  // a file, "-" for stdout, empty for none
  bool traces = false;               // the kept trial of every row, after the table
  bool trace_each = false;           // the kept trial of one row of every scenario, before the table
  std::filesystem::path core;        // a folder for a core file of each program that failed; empty for none
  bool verbose = false;
};

/// Prints a table on stdout (on stderr if the JSON goes there). Returns the exit code: 0 all as expected,
/// 1 an expectation failed or a core file is missing, 2 gdb is missing for one, 128 + the signal if one stopped
/// it. Throws catalogue_error and std::system_error.
int crash_command(const crash_options& options);

}  // namespace racelab::lab
