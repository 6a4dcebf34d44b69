#include "lab/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>

namespace racelab::lab {

std::string paint(std::string_view text, style how, bool coloured) {
  constexpr std::array<std::string_view, 6> codes{"",         "\x1b[1m",  "\x1b[2m",
                                                  "\x1b[31m", "\x1b[32m", "\x1b[33m"};
  const std::string_view code = codes[static_cast<std::size_t>(how)];
  if (!coloured || code.empty()) return std::string(text);
  return std::string(code).append(text).append("\x1b[0m");
}

bool wants_colour(int fd) {
  const char* no_colour = std::getenv("NO_COLOR");
  const char* terminal = std::getenv("TERM");
  return isatty(fd) != 0 && (no_colour == nullptr || *no_colour == '\0') &&
         (terminal == nullptr || std::string_view(terminal) != "dumb");
}

std::size_t columns(int fd, std::size_t otherwise) {
  winsize size{};
  if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return otherwise;
  return size.ws_col;
}

std::size_t width(std::string_view text) noexcept {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::string wrapped(std::string_view text, std::size_t indent, std::size_t columns) {
  std::string result;
  std::size_t at = 0;  // columns used on this line
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (word.empty()) continue;
    if (at != 0 && at + 1 + width(word) > columns) {
      result += '\n';
      at = 0;
    }
    if (at == 0) {
      result.append(indent, ' ');
      at = indent;
    } else {
      result += ' ';
      ++at;
    }
    result += word;
    at += width(word);
  }
  if (at != 0) result += '\n';
  return result;
}

std::string printable(std::string_view text) {
  std::string result(text);
  std::ranges::replace_if(
      result,
      [](char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') || c == 0x7f; },
      '?');
  return result;
}

}  // namespace racelab::lab
