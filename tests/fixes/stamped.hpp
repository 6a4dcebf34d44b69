// Values that tell whether they are whole, and whose: a key, a number, and a checksum of both.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stamped {

/// Long enough to live on the heap.
inline std::string key(int i) { return "a key that lives on the heap " + std::to_string(i); }

inline std::string value(std::string_view key, int number) {
  std::uint64_t checksum = 0xcbf29ce484222325U;  // FNV-1a
  const std::string made = std::string(key) + '/' + std::to_string(number);
  for (const char each : made) checksum = (checksum ^ static_cast<unsigned char>(each)) * 0x100000001b3U;
  return made + '/' + std::to_string(checksum);
}

/// The number in `text` if that is a whole value of `key`.
inline std::optional<int> number(std::string_view key, std::string_view text) {
  if (!text.starts_with(key)) return std::nullopt;
  const std::string_view digits = text.substr(key.size() + 1 <= text.size() ? key.size() + 1 : text.size());
  int found = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), found);
  if (text != value(key, found)) return std::nullopt;
  return found;
}

}  // namespace stamped
