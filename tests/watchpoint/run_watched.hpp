// Runs a program with the watchpoint runtime in it: with an environment, and a log of its own.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "tests/stacks/run_program.hpp"
#include "tests/support/scratch.hpp"

struct watched_run {
  finished_program program;
  std::vector<nlohmann::json> log;  // its lines; throws where one is no JSON

  [[nodiscard]] int exit_code() const { return WIFEXITED(program.status) ? WEXITSTATUS(program.status) : -1; }
  [[nodiscard]] std::vector<nlohmann::json> of_kind(const std::string& kind) const {
    std::vector<nlohmann::json> found;
    for (const nlohmann::json& line : log)
      if (line.at("kind") == kind) found.push_back(line);
    return found;
  }
};

using environment = std::vector<std::pair<std::string, std::string>>;

/// `path` with these variables added, for it alone, and the others of the runtime unset.
inline watched_run run_watched(const std::string& path, const environment& variables = {}) {
  const scratch_file written;
  for (const char* name : {"RACELAB_WATCH", "RACELAB_PERTURB", "RACELAB_SEED", "RACELAB_WATCH_PLAN",
                           "RACELAB_WATCH_SITES", "RACELAB_WATCH_EVENTS"})
    unsetenv(name);
  setenv("RACELAB_WATCH_LOG", written.path().c_str(), 1);
  for (const auto& [name, value] : variables) setenv(name.c_str(), value.c_str(), 1);

  watched_run result;
  result.program = run_program(path, "none");

  unsetenv("RACELAB_WATCH_LOG");
  for (const auto& [name, value] : variables) unsetenv(name.c_str());
  std::ifstream file(written.path());
  for (std::string line; std::getline(file, line);) result.log.push_back(nlohmann::json::parse(line));
  return result;
}
