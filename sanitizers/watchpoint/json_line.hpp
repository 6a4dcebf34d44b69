// One line of JSON, built where nothing can be taken from the heap.
#pragma once

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <charconv>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace racelab::watch {

/// A line, built in pages of its own: not on the heap, and not on the stack, which may be a small one. A record has
/// four stacks of at most 64 frames, 21 bytes each, and always fits; of lists as long as they like, what does not is
/// left out.
class json_line {
 public:
  json_line() noexcept {
    void* const pages = mmap(nullptr, capacity, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages != MAP_FAILED) buffer_ = static_cast<char*>(pages);
  }
  ~json_line() {
    if (buffer_ != nullptr) syscall(SYS_munmap, buffer_, capacity);  // munmap is interposed: heap.cpp
  }
  json_line(const json_line&) = delete;
  json_line& operator=(const json_line&) = delete;

  [[nodiscard]] std::size_t room() const noexcept { return buffer_ == nullptr ? 0 : capacity - size_; }

  void text(std::string_view more) noexcept {
    const std::size_t count = more.size() < room() ? more.size() : room();
    if (count != 0) std::memcpy(buffer_ + size_, more.data(), count);
    size_ += count;
  }

  void number(std::uint64_t value) noexcept {
    char digits[24];
    const auto* const end = std::to_chars(digits, digits + sizeof digits, value).ptr;
    text({digits, static_cast<std::size_t>(end - digits)});
  }

  // Addresses are strings: JSON's numbers do not hold 64 bits everywhere.
  void hex(std::uint64_t value) noexcept {
    char digits[24];
    const auto* const end = std::to_chars(digits, digits + sizeof digits, value, 16).ptr;
    text("\"0x");
    text({digits, static_cast<std::size_t>(end - digits)});
    text("\"");
  }

  void quoted(std::string_view raw) noexcept {
    text("\"");
    for (const char c : raw) {
      if (static_cast<unsigned char>(c) < 0x20) continue;  // no path that a person would have
      if (c == '"' || c == '\\') text("\\");
      text({&c, 1});
    }
    text("\"");
  }

  void list(std::span<const std::uintptr_t> addresses) noexcept {
    text("[");
    for (const std::uintptr_t each : addresses) {
      next();
      hex(each);
    }
    text("]");
  }

  /// Between the elements of a list: a comma, unless this is the first.
  void next() noexcept {
    if (size_ != 0 && buffer_[size_ - 1] != '[') text(",");
  }

  void write_to(int file) noexcept {
    text("\n");
    // One write with O_APPEND: lines of several threads do not mix. A full disk loses records, not the
    // program. A bare system call: write() would be a cancellation point.
    syscall(SYS_write, file, buffer_, size_);
  }

 private:
  static constexpr std::size_t capacity = std::size_t{1} << 18U;
  char* buffer_ = nullptr;  // null if there is no memory: then nothing is written
  std::size_t size_ = 0;
};

}  // namespace racelab::watch
