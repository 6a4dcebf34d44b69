// Files: read whole, and folders that are gone afterwards.
#pragma once

#include <filesystem>
#include <string>

namespace racelab::lab {

/// All of a file. Throws std::system_error that names it if it can't be read.
[[nodiscard]] std::string content_of(const std::filesystem::path& file);

/// A folder of its own for files that nobody needs afterwards; gone with the object.
class temporary_folder {
 public:
  /// Throws std::system_error, naming the place, if there can't be one.
  temporary_folder();
  temporary_folder(const temporary_folder&) = delete;
  temporary_folder& operator=(const temporary_folder&) = delete;
  ~temporary_folder();

  [[nodiscard]] std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

}  // namespace racelab::lab
