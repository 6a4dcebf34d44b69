// Files: read whole, and folders that are gone afterwards.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace racelab::lab {

/// All of a file. Throws std::system_error that names it if it can't be read.
[[nodiscard]] std::string content_of(const std::filesystem::path& file);

/// The logs that the processes of a program under ThreadSanitizer have written for log_path=`log`: LOG.PID, in the order of
/// their numbers. None if the folder can't be read.
[[nodiscard]] std::vector<std::filesystem::path> logs_of_processes(const std::filesystem::path& log);

/// True for a file that this process may run.
[[nodiscard]] bool can_run(const std::filesystem::path& program);

/// A program by its name alone, where a shell would find it; empty if nowhere.
[[nodiscard]] std::filesystem::path found_in_path(const std::string& program);

/// A folder of its own for files that nobody needs afterwards; gone with the object.
class temporary_folder {
 public:
  /// Where temporary files are kept, or in `place`. Throws std::system_error, naming the place, if there can't be one.
  temporary_folder();
  explicit temporary_folder(const std::filesystem::path& place);
  temporary_folder(const temporary_folder&) = delete;
  temporary_folder& operator=(const temporary_folder&) = delete;
  ~temporary_folder();

  [[nodiscard]] std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace racelab::lab
