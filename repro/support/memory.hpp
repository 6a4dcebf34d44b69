// How much memory this process has: what the kernel counts, and what glibc's allocator says of its heap.
#pragma once

#include <malloc.h>

#include <array>
#include <cstddef>
#include <cstdio>
#include <fstream>
#include <string>

namespace racelab {

/// In bytes.
struct memory_use {
  std::size_t resident = 0;  // pages in memory: Rss of /proc/self/smaps_rollup
  std::size_t in_use = 0;    // in blocks that were allocated and not freed; 0 where malloc is not glibc's
  std::size_t free = 0;      // in blocks that were freed, resident or not

  /// False under a sanitizer, for one: it has an allocator of its own, of which glibc knows nothing.
  [[nodiscard]] bool allocator_is_glibc() const { return in_use != 0; }
};

[[nodiscard]] inline memory_use memory_now() {
  memory_use now;
  const auto heap = mallinfo2();
  now.in_use = heap.uordblks + heap.hblkhd;
  now.free = heap.fordblks;
  std::ifstream rollup("/proc/self/smaps_rollup");
  for (std::string line; std::getline(rollup, line);)
    if (line.starts_with("Rss:")) now.resident = std::stoul(line.substr(4)) * 1024;
  return now;
}

/// A value of four pages that counts how many of its kind there are. For one thread.
// NOLINTNEXTLINE(cppcoreguidelines-special-member-functions): a move is a copy
class counted_pages {
 public:
  counted_pages() { ++alive; }
  counted_pages(const counted_pages& other) : bytes_(other.bytes_) { ++alive; }
  counted_pages& operator=(const counted_pages& other) = default;
  ~counted_pages() { --alive; }

  static inline std::size_t alive = 0;

 private:
  std::array<char, 16384> bytes_{};
};

/// Prints one line and returns what it says.
inline memory_use print_memory(const char* step) {
  const auto mib = [](std::size_t bytes) { return static_cast<double>(bytes) / (1024 * 1024); };
  const memory_use now = memory_now();
  std::printf("%-40s %5zu values  %5.1f MiB in use  %5.1f MiB free  %5.1f MiB resident\n", step,
              counted_pages::alive, mib(now.in_use), mib(now.free), mib(now.resident));
  return now;
}

}  // namespace racelab
