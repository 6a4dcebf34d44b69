// A folder of its own with fake scenario programs (shell scripts) and a catalogue of them, gone with the
// object.
#pragma once

#include <signal.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "lab/files.hpp"
#include "lab/trials.hpp"
#include "tests/support/text.hpp"

namespace racelab::tests {

class fake_lab {
 public:
  [[nodiscard]] std::filesystem::path operator/(const std::string& name) const { return folder_ / name; }

  [[nodiscard]] const std::filesystem::path& folder() const noexcept { return folder_.path(); }

  std::filesystem::path write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
    return folder_ / name;
  }

  [[nodiscard]] std::string read(const std::string& name) const {
    std::ifstream file(folder_ / name);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  /// A program from shell commands.
  std::filesystem::path script(const std::string& name, const std::string& commands) const {
    const std::filesystem::path file = write(name, "#!/bin/sh\n" + commands + "\n");
    std::filesystem::permissions(file, std::filesystem::perms::owner_all);
    return file;
  }

  /// A scenario of the catalogue: `commands` is all of its programs, over each of these maps.
  void scenario(const std::string& name, const std::string& commands,
                const std::vector<std::string>& maps = {"hmap"}, const std::string& timeout_ms = "null") {
    script(name, commands);
    scenarios_.push_back({.name = name, .maps = maps, .remedies = {}, .timeout_ms = timeout_ms});
    write_catalogue();
  }

  /// Mends the scenario that was added last: `commands` is its programs over this remedy.
  void remedy(const std::string& name, const std::string& commands) {
    script(scenarios_.back().name + "." + name, commands);
    scenarios_.back().remedies.push_back(name);
    write_catalogue();
  }

  /// The racelab command with this catalogue; what it printed is in the result, as is its exit code.
  [[nodiscard]] lab::trial_result racelab(std::vector<std::string> arguments,
                                          const std::vector<std::string>& environment = {}) const {
    lab::trial_request request;
    request.program = RACELAB_COMMAND;
    request.arguments = std::move(arguments);
    request.environment = environment;
    request.environment.push_back("RACELAB_CATALOGUE=" + (folder_ / "catalogue.json").string());
    request.memory_limit = 0;  // it hands its own down, and ThreadSanitizer needs terabytes of addresses
    request.timeout = std::chrono::seconds(60);
    return lab::run_trial(request);
  }

  /// The same through a shell, for redirections: `$RACELAB` is the command.
  [[nodiscard]] lab::trial_result shell(const std::string& commands) const {
    lab::trial_request request;
    request.program = "/bin/sh";
    request.arguments = {"-c", commands};
    request.environment = {"RACELAB=" RACELAB_COMMAND,
                           "RACELAB_CATALOGUE=" + (folder_ / "catalogue.json").string()};
    request.memory_limit = 0;  // it hands its own down, and ThreadSanitizer needs terabytes of addresses
    request.timeout = std::chrono::seconds(60);
    return lab::run_trial(request);
  }

 private:
  struct described_scenario {
    std::string name;
    std::vector<std::string> maps;
    std::vector<std::string> remedies;
    std::string timeout_ms;
  };

  void write_catalogue() const {
    using nlohmann::json;
    json scenarios = json::array();
    json fixes = json::array();
    for (const described_scenario& one : scenarios_) {
      json programs = json::array();
      for (const std::string& map : one.maps)
        programs.push_back({{"map", map}, {"plain", one.name}, {"watch", one.name}, {"tsan", one.name}});
      json fixed = json::array();
      for (const std::string& remedy : one.remedies) {
        const std::string program = one.name + "." + remedy;
        fixed.push_back({{"map", remedy}, {"watch", program}, {"tsan", program}});
        fixes.push_back({{"name", remedy}, {"story", "Mends."}, {"built", true}});
      }
      scenarios.push_back({{"name", one.name},
                           {"story", "The story of " + one.name + "."},
                           {"source", "repro/x.cpp"},
                           {"race", {"erase() W vs erase() W"}},
                           {"expect", one.name.starts_with("norace_") ? "tsan=clean" : "tsan=report"},
                           {"fixes", "all"},
                           {"not", json::array()},
                           {"timeout_ms", json::parse(one.timeout_ms)},
                           {"programs", std::move(programs)},
                           {"fixed", std::move(fixed)}});
    }
    write("catalogue.json", json{{"runtime", "llvm"},
                                 {"runtime_version", "22.1"},
                                 {"fixes", std::move(fixes)},
                                 {"scenarios", std::move(scenarios)},
                                 {"corpus", json::array()}}
                                .dump());
  }

  lab::temporary_folder folder_;
  std::vector<described_scenario> scenarios_;
};

/// True if no process has this number, not even a dead one that nobody has waited for.
inline bool is_gone(const std::string& pid) { return kill(std::stoi(pid), 0) != 0 && errno == ESRCH; }

}  // namespace racelab::tests
