// Progress: one line on stderr that is written over again and again, on a terminal only.
#pragma once

#include <chrono>
#include <string>

namespace racelab::lab {

class progress_line {
 public:
  /// Shows nothing if stderr is no terminal, or if not `wanted`.
  explicit progress_line(bool wanted);
  progress_line(const progress_line&) = delete;
  progress_line& operator=(const progress_line&) = delete;
  /// Takes the line away.
  ~progress_line();

  /// `text`, cut to the terminal's width, with the seconds since the beginning behind it.
  void show(const std::string& text);

 private:
  bool shown_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace racelab::lab
