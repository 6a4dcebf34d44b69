#include "serve/target.hpp"

#include <charconv>
#include <cstddef>

namespace racelab::serve {

std::string_view path_of(std::string_view target) {
  constexpr std::string_view scheme = "http://";
  if (target.starts_with(scheme)) {
    const std::size_t slash = target.find('/', scheme.size());
    if (slash == std::string_view::npos) return "/";
    target.remove_prefix(slash);
  }
  if (!target.starts_with('/')) return {};
  return target.substr(0, target.find('?'));
}

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    unsigned byte = 0;
    const std::string_view digits = text.substr(i + 1, 2);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
    if (digits.size() != 2 || error != std::errc() || end != digits.data() + 2) return std::nullopt;
    decoded += static_cast<char>(byte);
    i += 2;
  }
  return decoded;
}

}  // namespace racelab::serve
