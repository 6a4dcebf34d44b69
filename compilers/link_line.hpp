// A linker's command line, as clang and gcc write it, and what it has to be to link racelab's runtime.
//
// An executable under -fsanitize=thread is linked twice from the same objects: as asked for, and as PROGRAM.watch.
// By the linker's line and not the compiler's: there sources have been compiled and libraries been found, and there are
// few forms of it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace racelab::compilers {

/// The files of racelab's runtime, in lib/racelab of a build folder or of an installation.
struct runtime_files {
  std::filesystem::path folder;

  [[nodiscard]] std::filesystem::path object() const { return folder / "watch.o"; }
  [[nodiscard]] std::filesystem::path dynamic_list() const { return folder / "watch.syms"; }
  [[nodiscard]] std::filesystem::path gcc_library_folder() const { return folder / "gcc"; }
  std::vector<std::string> libraries;  // what the object needs
};

/// What a line links.
enum class linked : std::uint8_t {
  other,  // a shared library, a relocatable object, no program under ThreadSanitizer: nothing else to do
  with_archive,  // by clang: LLVM's runtime is an archive in the line
  with_library,  // by gcc: its runtime is a shared library
  refused,       // a program that can have no second link
};

struct link_line {
  linked what = linked::other;
  std::filesystem::path output;  // PROGRAM
  std::string refusal;           // why, if refused
};

/// Reads `arguments` (without the linker's name, response files expanded).
[[nodiscard]] link_line read_link_line(const std::vector<std::string>& arguments);

/// PROGRAM.watch
[[nodiscard]] std::filesystem::path watch_program(const std::filesystem::path& program);

/// The line that links PROGRAM.watch, for a line that read_link_line() has said to be one of the two.
[[nodiscard]] std::vector<std::string> watch_arguments(const std::vector<std::string>& arguments,
                                                       const link_line& line, const runtime_files& runtime);

}  // namespace racelab::compilers
