// Text: small questions about strings, and counts as a person says them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace racelab::stacks {

/// What follows a path's last slash.
[[nodiscard]] inline std::string_view file_name(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

[[nodiscard]] inline bool starts_with_any(std::string_view text,
                                          std::span<const std::string_view> beginnings) {
  return std::ranges::any_of(beginnings, [&](std::string_view one) { return text.starts_with(one); });
}

[[nodiscard]] inline bool contains_any(std::string_view text, std::span<const std::string_view> parts) {
  return std::ranges::any_of(parts,
                             [&](std::string_view one) { return text.find(one) != std::string_view::npos; });
}

/// 1 run, 2 runs
[[nodiscard]] inline std::string plural(std::uint64_t count, std::string_view what) {
  std::string text = std::to_string(count) + " ";
  text += what;
  if (count != 1) text += "s";
  return text;
}

}  // namespace racelab::stacks
