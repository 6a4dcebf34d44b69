// Scratch: files and folders of a test's own, gone with the object.
#pragma once

#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

class scratch_file {
 public:
  explicit scratch_file(const std::string& text = "") {
    const int file = mkstemp(path_.data());
    if (file < 0) throw std::runtime_error(path_);
    close(file);
    std::ofstream(path_) << text;
  }
  ~scratch_file() { unlink(path_.c_str()); }
  scratch_file(const scratch_file&) = delete;
  scratch_file& operator=(const scratch_file&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_ = std::filesystem::temp_directory_path() / "racelab-test-XXXXXX";
};

class scratch_folder {
 public:
  scratch_folder() {
    if (mkdtemp(path_.data()) == nullptr) throw std::runtime_error(path_);
  }
  ~scratch_folder() { std::filesystem::remove_all(path_); }
  scratch_folder(const scratch_folder&) = delete;
  scratch_folder& operator=(const scratch_folder&) = delete;

  [[nodiscard]] std::filesystem::path operator/(const std::string& name) const {
    return std::filesystem::path(path_) / name;
  }

 private:
  std::string path_ = std::filesystem::temp_directory_path() / "racelab-test-XXXXXX";
};
