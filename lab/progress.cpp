#include "lab/progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "lab/terminal.hpp"

namespace racelab::lab {

progress_line::progress_line(bool wanted) : shown_(wanted && isatty(STDERR_FILENO) != 0) {}

progress_line::~progress_line() {
  if (!shown_) return;
  fmt::print(stderr, "\r\x1b[K");
  std::fflush(stderr);
}

void progress_line::show(const std::string& text) {
  if (!shown_) return;
  const auto passed = std::chrono::steady_clock::now() - start_;
  std::string line =
      fmt::format("{}, {} s", text, std::chrono::duration_cast<std::chrono::seconds>(passed).count());
  line.resize(std::min(line.size(), columns(STDERR_FILENO, 80) - 1));
  fmt::print(stderr, "\r\x1b[K{}", line);
  std::fflush(stderr);
}

}  // namespace racelab::lab
