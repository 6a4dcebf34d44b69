#include "lab/classroom_text.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "lab/terminal.hpp"

namespace racelab::lab {
namespace {

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

bool is_preamble(std::string_view line) {
  return line.empty() || line.starts_with("//") || line.starts_with('#');
}

// The lab's own files are named from its root.
bool is_elsewhere(std::string_view line) { return line.starts_with("\t/"); }

void replace_all(std::string& text, std::string_view what, std::string_view with) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size())
    text.replace(at, what.size(), with);
}

// Colours take no columns.
std::size_t seen_width(std::string line) {
  for (std::size_t at = 0; (at = line.find("\x1b[", at)) != std::string::npos;)
    line.erase(at, line.find('m', at) - at + 1);
  return width(line);
}

}  // namespace

std::string numbered_source(std::string_view source) {
  const std::vector<std::string_view> lines = lines_of(source);
  std::string text;
  const auto begin = std::ranges::find_if_not(lines, is_preamble);
  for (auto line = begin; line != lines.end(); ++line)
    text += fmt::format("{:4}  {}\n", line - lines.begin() + 1, *line);
  return text;
}

std::string without_library_frames(std::string_view text) {
  const std::vector<std::string_view> lines = lines_of(text);
  std::string kept;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (i + 1 < lines.size() && is_elsewhere(lines[i + 1]))
      ++i;
    else
      kept.append(lines[i]) += '\n';
  }
  return kept;
}

std::string_view scenario_of(std::string_view program) { return program.substr(0, program.find('.')); }

std::string anonymous(std::string_view text, const std::vector<std::string>& scenarios) {
  std::string result(text);
  for (std::size_t i = 0; i < scenarios.size(); ++i) {
    const std::string stand_in = i == 0 ? "program" : fmt::format("program{}", i + 1);
    replace_all(result, "repro/" + scenarios[i] + ".cpp", stand_in + ".cpp");
    replace_all(result, scenarios[i], stand_in);
  }
  return result;
}

std::string fitted(std::string_view text, std::size_t columns) {
  std::string result;
  for (const std::string_view each : lines_of(text)) {
    std::string line(each);
    replace_all(line, "\t", "    ");
    if (seen_width(line) <= columns)
      result += line + "\n";
    else
      result += wrapped(line, std::min(line.find_first_not_of(' '), line.size()), columns);
  }
  return result;
}

}  // namespace racelab::lab
