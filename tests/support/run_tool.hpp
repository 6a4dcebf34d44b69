// Runs a tool to its end, with what it printed.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "lab/files.hpp"
#include "lab/trials.hpp"
#include "tests/support/catch.hpp"

namespace racelab::tests {

constexpr auto usual_path = "PATH=/usr/local/bin:/usr/bin:/bin";

inline lab::trial_result run_tool(const std::filesystem::path& program, std::vector<std::string> arguments,
                                  std::vector<std::string> environment = {usual_path}) {
  lab::trial_request request;
  request.program = program;
  request.arguments = std::move(arguments);
  request.environment = std::move(environment);
  request.memory_limit = 0;
  request.output_limit = std::size_t{4} << 20;
  request.timeout = std::chrono::seconds(60);
  return lab::run_trial(request);
}

/// False, loudly, where a tool is missing.
inline bool has_tools(const std::vector<std::string>& tools) {
  for (const std::string& tool : tools) {
    if (!lab::found_in_path(tool).empty()) continue;
    WARN("SKIPPED: there is no " << tool);
    return false;
  }
  return true;
}

}  // namespace racelab::tests
