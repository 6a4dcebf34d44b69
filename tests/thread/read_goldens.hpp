// Goldens: real logs of each runtime, and what the parser makes of a text.
#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "sanitizers/thread/log_parser.hpp"
#include "sanitizers/thread/report.hpp"

namespace racelab::tests {

struct golden {
  std::string name;  // clang-22/data_race.log
  std::string text;
};

inline std::string read_file(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// Those of a folder of RUNTIME/KIND.log, in the order of their names.
inline std::vector<golden> goldens_of(const std::filesystem::path& folder) {
  std::vector<golden> all;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.path().extension() != ".log") continue;
    all.push_back({std::filesystem::relative(entry.path(), folder).string(), read_file(entry.path())});
  }
  std::ranges::sort(all, {}, &golden::name);
  return all;
}

inline std::vector<std::string> split_lines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

struct parsed {
  std::vector<tsan::report> reports;
  std::vector<tsan::complaint> complaints;
  std::size_t lines = 0;
};

/// In pieces of `piece` bytes.
inline parsed parse(std::string_view text, std::size_t piece = std::string_view::npos) {
  parsed result;
  tsan::log_parser parser([&](tsan::report&& one) { result.reports.push_back(std::move(one)); },
                          [&](const tsan::complaint& one) { result.complaints.push_back(one); });
  while (!text.empty()) {
    const auto size = std::min(piece, text.size());
    parser.feed(text.substr(0, size));
    text.remove_prefix(size);
  }
  parser.finish();
  result.lines = parser.lines();
  return result;
}

}  // namespace racelab::tests
