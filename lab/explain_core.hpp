// Explain, with gdb: what a core file holds, and who returned null in a run of the program.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace racelab::lab {

/// True for a core file.
[[nodiscard]] bool is_core_file(const std::filesystem::path& file);

/// A map that a variable of some frame holds or leads to.
struct examined_map {
  std::string name;                   // VARIABLE in FUNCTION, thread N
  std::string type;                   // without its template arguments
  std::string address;                // in hexadecimal
  std::vector<std::string> findings;  // what is wrong with its bytes, in words
};

struct core_text {
  std::string stacks;              // what gdb says: the signal, its address, all threads' stacks
  std::vector<examined_map> maps;  // none without debug information, or with a gdb that has no Python
};

/// What gdb finds in a core file. `program` may be empty if the core file names it. Throws std::runtime_error with one line if
/// there is no gdb, no program or no stack.
[[nodiscard]] core_text read_core(const std::filesystem::path& core, const std::filesystem::path& program);

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
