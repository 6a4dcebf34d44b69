// Points of a benchmark are words, `axis=value`, with spaces between them.
#pragma once

#include <algorithm>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

namespace racelab::bench {

[[nodiscard]] inline std::vector<std::string> words(const std::string& text) {
  std::istringstream in(text);
  return {std::istream_iterator<std::string>(in), {}};
}

/// Whether `point` has all of the words `wanted`.
[[nodiscard]] inline bool has_words(const std::string& point, const std::vector<std::string>& wanted) {
  const auto has = words(point);
  return std::ranges::all_of(wanted,
                             [&](const auto& each) { return std::ranges::find(has, each) != has.end(); });
}

}  // namespace racelab::bench
