#include "stacks/debug_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <boost/crc.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

namespace racelab::stacks {
namespace {

namespace fs = std::filesystem;

bool has_crc(int fd, GElf_Word wanted) {
  boost::crc_32_type crc;
  std::array<char, 65536> buffer{};
  for (;;) {
    const ssize_t size = read(fd, buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return false;
    if (size == 0) break;
    crc.process_bytes(buffer.data(), static_cast<std::size_t>(size));
  }
  return crc.checksum() == wanted && lseek(fd, 0, SEEK_SET) == 0;
}

}  // namespace

int find_debug_file(Dwfl_Module* module, void** user_data, const char* name, Dwarf_Addr base,
                    const char* module_path, const char* link, GElf_Word crc, char** path) {
  const int by_build_id =
      dwfl_build_id_find_debuginfo(module, user_data, name, base, module_path, link, crc, path);
  if (by_build_id >= 0 || module_path == nullptr || link == nullptr) return by_build_id;

  std::error_code error;
  const fs::path folder = fs::canonical(module_path, error).parent_path();
  if (error) return -1;
  for (const fs::path& file : {folder / link, folder / ".debug" / link,
                               fs::path("/usr/lib/debug") / folder.relative_path() / link}) {
    const int fd = open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) continue;
    if (has_crc(fd, crc)) {
      *path = strdup(file.c_str());
      return fd;
    }
    close(fd);
  }
  return -1;
}

}  // namespace racelab::stacks
