#include "lab/serve_command.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <stdexcept>

namespace racelab::lab {

void serve_command(const std::vector<std::string>& arguments) {
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe");
  const std::string program = self.parent_path() / "racelab-serve";
  std::vector<std::string> words{program};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  execv(program.c_str(), pointers.data());
  if (errno == ENOENT)
    throw std::runtime_error(fmt::format("{}: the server is not built: make serve", program));
  throw std::runtime_error(fmt::format("{}: {}", program, std::strerror(errno)));
}

}  // namespace racelab::lab
