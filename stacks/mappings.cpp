#include "stacks/mappings.hpp"

namespace racelab::stacks {
namespace {

std::uint64_t take_hex(std::string_view& text) noexcept {
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

}  // namespace

mapping mapping_in(std::string_view line) noexcept {
  const auto next_field = [&line] {
    line.remove_prefix(std::min(line.find(' '), line.size()));
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  };
  mapping result;
  result.low = take_hex(line);
  if (!line.empty()) line.remove_prefix(1);
  result.high = take_hex(line);
  next_field();  // access
  result.shared = line.size() > 3 && line[3] == 's';
  next_field();
  result.file_offset = take_hex(line);
  next_field();
  const char* const device = line.data();
  next_field();  // inode
  const char* const inode_end = line.data() + std::min(line.find(' '), line.size());
  result.file = {device, static_cast<std::size_t>(inode_end - device)};
  next_field();
  result.path = line;
  return result;
}

}  // namespace racelab::stacks
