// Crash core: core files of failing runs, as a debugger opens them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lab/crash_run.hpp"

namespace racelab::lab {

/// What /proc/sys/kernel/core_pattern says; empty if it can't be read.
[[nodiscard]] std::string kernel_core_pattern();

/// Why the kernel leaves no core file in the folder where a program dies, by its core_pattern (core(5)); empty if it does.
[[nodiscard]] std::string core_obstacle(std::string_view core_pattern);

/// A failing run that was made again for its core file, or what became of the try.
struct kept_core {
  std::string name;                   // SCENARIO.MAP
  std::filesystem::path program;      // that the core file is of
  std::filesystem::path core;         // empty: there is none
  outcome what = outcome::crash;      // of the run
  std::optional<std::uint64_t> seed;  // of the run
  std::string made_by;                // "the kernel", or "gdb: " and why not the kernel
  std::string why_none;
  bool needs_gdb = false;  // there is none because gdb is not installed
};

struct core_run {
  std::vector<kept_core> cores;  // one for each row that failed, baselines apart
  int stopped_by = 0;            // as in crash_run
};

/// Runs what failed in `run` again until it fails once more, at most fifty times each, and keeps in `folder`, which is made if
/// need be, SCENARIO.MAP.core and SCENARIO.MAP.txt, which says of which program and which run it is.
///
/// The kernel writes the core file of a program that a signal ends. Where core_pattern says otherwise, or the program
/// found its mistake itself and exits, it runs under gdb, which writes the file at the signal, at the line
/// `corrupt: …`, or at the exit. `tick` is called now and then with the name of what is run. Throws and handles signals
/// as run_trials does.
[[nodiscard]] core_run keep_cores(const crash_run& run, const crash_settings& settings,
                                  const std::filesystem::path& folder, std::string_view core_pattern,
                                  const std::function<void(const std::string& name)>& tick);

/// A line for each.
[[nodiscard]] std::string core_lines(const core_run& run);

}  // namespace racelab::lab
