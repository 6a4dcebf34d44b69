// Terminal: what a stream can show, and text made fit for it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace racelab::lab {

enum class style { plain, bold, dim, red, green, yellow };

/// `text` in that style by ANSI escapes, or as it is if not `coloured`.
[[nodiscard]] std::string paint(std::string_view text, style how, bool coloured);

/// True for a terminal, unless NO_COLOR (no-color.org) or TERM=dumb say otherwise.
[[nodiscard]] bool wants_colour(int fd);

/// Columns of the terminal at `fd`; `otherwise` if it is none.
[[nodiscard]] std::size_t columns(int fd, std::size_t otherwise);

/// Columns that UTF-8 text takes, counted in code points (wide and combining ones are not looked up).
[[nodiscard]] std::size_t width(std::string_view text) noexcept;

/// `text` in lines of at most `columns`, each indented by `indent` spaces, broken at spaces only and ending
/// in a newline.
[[nodiscard]] std::string wrapped(std::string_view text, std::size_t indent, std::size_t columns);

/// A program's output without what would act on a terminal: control characters but tab and newline become
/// '?'.
[[nodiscard]] std::string printable(std::string_view text);

}  // namespace racelab::lab
