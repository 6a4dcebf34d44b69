#include "lab/files.hpp"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
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

temporary_folder::temporary_folder() {
  std::string name = (std::filesystem::temp_directory_path() / "racelab-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::system_error(errno, std::generic_category(), name);
  path_ = name;
}

temporary_folder::~temporary_folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace racelab::lab
