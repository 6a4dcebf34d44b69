#include "stacks/raw_lines.hpp"

#include <fcntl.h>

#include <algorithm>

#include "stacks/signal_safe.hpp"

namespace racelab::stacks {
namespace {

// A line of /proc/self/maps: 7f12-7f34 r-xp 00001000 fe:01 1234    /usr/lib/libc.so.6
struct mapping {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  std::uint64_t file_offset = 0;
  std::string_view path;
};

std::uint64_t take_hex(std::string_view& text) {
  std::uint64_t number = 0;
  while (!text.empty()) {
    const char c = text.front();
    if (c >= '0' && c <= '9') {
      number = number * 16 + static_cast<std::uint64_t>(c - '0');
    } else if (c >= 'a' && c <= 'f') {
      number = number * 16 + static_cast<std::uint64_t>(c - 'a' + 10);
    } else {
      break;
    }
    text.remove_prefix(1);
  }
  return number;
}

mapping parse(std::string_view line) {
  const auto next_field = [&] {
    line.remove_prefix(std::min(line.find(' '), line.size()));
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  };
  mapping result;
  result.low = take_hex(line);
  if (!line.empty()) line.remove_prefix(1);
  result.high = take_hex(line);
  next_field();  // access
  next_field();
  result.file_offset = take_hex(line);
  next_field();  // device
  next_field();  // inode
  next_field();
  result.path = line;
  return result;
}

void write_pc(int fd, std::uintptr_t pc) {
  fixed_text<512> shown;
  shown << "\t";
  const int maps = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
  std::array<char, 1024> buffer{};
  std::size_t filled = 0;
  bool found = false;
  while (maps >= 0 && !found) {
    const ssize_t got = read(maps, buffer.data() + filled, buffer.size() - filled);
    if (got <= 0) break;
    filled += static_cast<std::size_t>(got);
    std::string_view rest(buffer.data(), filled);
    for (std::size_t end = 0; (end = rest.find('\n')) != std::string_view::npos;
         rest.remove_prefix(end + 1)) {
      const mapping line = parse(rest.substr(0, end));
      if (pc < line.low || pc >= line.high) continue;
      if (!line.path.empty()) (shown << line.path << "+").hex(pc - line.low + line.file_offset);
      found = !line.path.empty();
      break;
    }
    if (rest.size() == buffer.size()) rest = {};  // a line longer than any path
    std::ranges::copy(rest, buffer.begin());
    filled = rest.size();
  }
  if (maps >= 0) close(maps);
  if (!found) shown.hex(pc);
  shown << "\n";
  write_all(fd, shown.view());
}

}  // namespace

void write_raw_threads(int fd, std::span<const thread_trace> threads) noexcept {
  for (const thread_trace& thread : threads) {
    fixed_text<256> head;
    (head << "\nthread ").decimal(thread.id) << " [" << thread.state << "]:\n";
    if (thread.note != nullptr) head << "\t" << thread.note << "\n";
    write_all(fd, head.view());
    for (const std::uintptr_t pc : thread.stack.frames()) write_pc(fd, pc);
    if (thread.created_by.size > 0) write_all(fd, "created by\n");
    for (const std::uintptr_t pc : thread.created_by.frames()) write_pc(fd, pc);
  }
}

}  // namespace racelab::stacks
