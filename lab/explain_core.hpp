// Explain, with gdb: what a core file holds, and who returned null in a run of the program.
#pragma once

#include <filesystem>
#include <string>

namespace racelab::lab {

/// True for a core file.
[[nodiscard]] bool is_core_file(const std::filesystem::path& file);

/// What gdb says of a core file: the signal, its address, all threads' stacks. `program` may be empty if the core file names it.
/// Throws std::runtime_error with one line if there is no gdb, no program or no stack.
[[nodiscard]] std::string stacks_in_core(const std::filesystem::path& core,
                                         const std::filesystem::path& program);

struct null_run {
  bool died = false;       // by SIGSEGV
  unsigned runs = 0;       // until it did
  unsigned nulls = 0;      // how often the function returned null in that run
  bool null_used = false;  // the last that the thread got which died was null
  std::string given_to;    // to whom it was given: FUNCTION at FILE:LINE; empty if nothing was
};

/// Runs `program` under gdb until it dies by SIGSEGV, and looks at what `function` returns. Throws as above.
[[nodiscard]] null_run watch_null(const std::filesystem::path& program, const std::string& function);

}  // namespace racelab::lab
