// `racelab explain`: a crash frame by frame, from a log or a core file.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace racelab::lab {

struct explain_options {
  std::string input;              // a log or a core file; "-" for stdin
  std::filesystem::path program;  // of a core file; with `again`, what is run once more
  std::vector<std::filesystem::path> source_roots;
  bool again = false;  // run the program under gdb, to see who returned the null
  std::string json;    // a file, "-" for stdout, empty for none
};

/// Prints what the crashes are and returns the exit code, 0. Throws std::runtime_error and std::system_error with one line: the
/// input tells of no crash, can't be read, or needs gdb.
int explain_command(const explain_options& options);

}  // namespace racelab::lab
