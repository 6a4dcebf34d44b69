// Text and errno on a signal path: no allocation, no stdio, no locks.
#pragma once

#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <string_view>

namespace racelab::stacks {

/// Leaves errno as it was.
class kept_errno {
 public:
  kept_errno() = default;
  ~kept_errno() { errno = before_; }
  kept_errno(const kept_errno&) = delete;
  kept_errno& operator=(const kept_errno&) = delete;

 private:
  int before_ = errno;
};

/// Writes all of `text`, whatever signals come; gives up at an error. Signal-safe: write is (POSIX).
inline void write_all(int fd, std::string_view text) noexcept {
  while (!text.empty()) {
    const ssize_t written = write(fd, text.data(), text.size());
    if (written > 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno != EINTR) {
      return;
    }
  }
}

/// Text of at most `Size` bytes, cut there.
template <std::size_t Size> class fixed_text {
 public:
  fixed_text& operator<<(std::string_view text) noexcept {
    size_ += text.copy(buffer_.data() + size_, Size - size_);
    return *this;
  }

  fixed_text& decimal(std::uint64_t number) noexcept { return digits(number, 10); }
  fixed_text& hex(std::uint64_t number) noexcept { return (*this << "0x").digits(number, 16); }

  [[nodiscard]] std::string_view view() const noexcept { return {buffer_.data(), size_}; }
  [[nodiscard]] const char* c_str() const noexcept { return buffer_.data(); }

 private:
  fixed_text& digits(std::uint64_t number, unsigned base) noexcept {
    std::array<char, 20> text{};
    std::size_t at = text.size();
    do {
      text[--at] = "0123456789abcdef"[number % base];
      number /= base;
    } while (number != 0);
    return *this << std::string_view(text.data() + at, text.size() - at);
  }

  std::array<char, Size + 1> buffer_{};  // what is behind the text is 0
  std::size_t size_ = 0;
};

}  // namespace racelab::stacks
