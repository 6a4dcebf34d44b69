#include "lab/files.hpp"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <sstream>
#include <system_error>
#include <utility>
#include <vector>

#include "lab/unique_fd.hpp"

namespace racelab::lab {

std::string content_of(const std::filesystem::path& file) {
  const unique_fd opened(open(file.c_str(), O_RDONLY | O_CLOEXEC));
  std::string text;
  std::vector<char> piece(64 << 10);
  ssize_t size = opened.get() < 0 ? -1 : 0;
  while (opened.get() >= 0 && (size = read(opened.get(), piece.data(), piece.size())) > 0)
    text.append(piece.data(), static_cast<std::size_t>(size));
  if (size < 0) throw std::system_error(errno, std::generic_category(), file.string());
  return text;
}

std::vector<std::filesystem::path> logs_of_processes(const std::filesystem::path& log) {
  const std::string beginning = log.filename().string() + ".";
  const std::filesystem::path folder = log.has_parent_path() ? log.parent_path() : ".";
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    std::string name = entry.path().filename().string();
    if (!name.starts_with(beginning) || name.size() == beginning.size()) continue;
    if (name.find_first_not_of("0123456789", beginning.size()) != std::string::npos) continue;
    names.push_back(std::move(name));
  }
  std::ranges::sort(names, [](const std::string& a, const std::string& b) {
    return a.size() != b.size() ? a.size() < b.size() : a < b;
  });
  std::vector<std::filesystem::path> found;
  for (const std::string& name : names) found.push_back(log.parent_path() / name);
  return found;
}

bool can_run(const std::filesystem::path& program) {
  std::error_code error;
  return std::filesystem::is_regular_file(program, error) && access(program.c_str(), X_OK) == 0;
}

std::filesystem::path found_in_path(const std::string& program) {
  const char* const path = std::getenv("PATH");
  std::istringstream folders(path != nullptr ? path : "/usr/bin:/bin");
  for (std::string folder; std::getline(folders, folder, ':');)
    if (std::filesystem::path found = std::filesystem::path(folder) / program; can_run(found)) return found;
  return {};
}

temporary_folder::temporary_folder() : temporary_folder(std::filesystem::temp_directory_path()) {}

temporary_folder::temporary_folder(const std::filesystem::path& place) {
  std::string name = (place / "racelab-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::system_error(errno, std::generic_category(), name);
  path_ = name;
}

temporary_folder::~temporary_folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace racelab::lab
