// `racelab triage`: what ThreadSanitizer reported, out of logs, each bug once.
#pragma once

#include <string>
#include <vector>

namespace racelab::lab {

enum class triage_format { text, json, sarif };

struct triage_options {
  std::vector<std::string> logs;  // files, or "-" for stdin
  triage_format format = triage_format::text;
  std::string output;       // a file; empty or "-" for stdout
  std::string source_root;  // what SARIF's files are given relative to; empty for the working directory
  std::string version;      // racelab's own, for SARIF
  bool fail_on_report = false;
  bool all_frames = false;
};

/// What can't be read of a log is told on stderr, a line each. Returns the exit code: 0, or 1 if there is any report and
/// `fail_on_report`. Throws std::system_error naming a log that can't be read or the output if it can't be written.
int triage_command(const triage_options& options);

}  // namespace racelab::lab
