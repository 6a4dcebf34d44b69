// Mappings: what /proc/self/maps tells of this process's memory. Takes nothing from the heap; signal-safe.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace racelab::stacks {

/// A line: 7f12-7f34 r-xp 00001000 fe:01 1234    /usr/lib/libc.so.6
struct mapping {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  bool shared = false;
  std::uint64_t file_offset = 0;
  std::string_view file;  // the device and the inode
  std::string_view path;

  [[nodiscard]] bool has(std::uint64_t address) const noexcept { return address >= low && address < high; }
};

[[nodiscard]] mapping mapping_in(std::string_view line) noexcept;

/// Calls visit(const mapping&) for each in the order of their addresses, until it returns true. What the mapping's texts point
/// to is there during the call only.
template <class Visit> void for_each_mapping(Visit visit) {
  const int maps = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
  std::array<char, 1024> buffer{};
  std::size_t filled = 0;
  bool done = maps < 0;
  while (!done) {
    const ssize_t got = read(maps, buffer.data() + filled, buffer.size() - filled);
    if (got <= 0) break;
    filled += static_cast<std::size_t>(got);
    std::string_view rest(buffer.data(), filled);
    for (std::size_t end = 0; !done && (end = rest.find('\n')) != std::string_view::npos;
         rest.remove_prefix(end + 1))
      done = visit(mapping_in(rest.substr(0, end)));
    if (rest.size() == buffer.size()) rest = {};  // a line longer than any path
    std::ranges::copy(rest, buffer.begin());
    filled = rest.size();
  }
  if (maps >= 0) close(maps);
}

}  // namespace racelab::stacks
