// Response files: @FILE in a command line stands for the words in FILE.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace racelab::compilers {

/// The words of a response file: separated by white space, with '…' and "…" and backslashes, as GNU's programs and LLVM's
/// read and write them.
[[nodiscard]] std::vector<std::string> words_of(std::string_view text);

/// `arguments` with the words of each @FILE in its place, also of those that stand in one. An @FILE that can't be read
/// stays, as with GNU's programs.
[[nodiscard]] std::vector<std::string> expand_response_files(const std::vector<std::string>& arguments);

/// A response file of `words`.
void write_response_file(const std::filesystem::path& file, const std::vector<std::string>& words);

}  // namespace racelab::compilers
