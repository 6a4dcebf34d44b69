// Output: where a command's text and its JSON go.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>

namespace racelab::lab {

/// With `--json FILE` the text goes to stdout and the document to the file; with `--json -` the document goes to stdout
/// and the text to stderr.
class output_streams {
 public:
  /// `json` as given: a file, `-`, or empty for none. Throws std::system_error now if that file can't be written later.
  explicit output_streams(std::string json);

  [[nodiscard]] std::FILE* text() const noexcept;
  [[nodiscard]] int fd() const noexcept;  // of text()
  /// Throws std::system_error, naming the stream, if text was lost.
  void flush() const;
  /// Throws std::system_error, naming the file, if it can't be written.
  void write_json(std::string_view document) const;

 private:
  [[nodiscard]] bool json_to_stdout() const noexcept { return json_ == "-"; }
  std::string json_;
};

}  // namespace racelab::lab
