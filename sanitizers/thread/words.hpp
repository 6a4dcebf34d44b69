// Words: takes a line apart from left to right. Each take_ function moves on only if it finds what it wants.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>
#include <system_error>

namespace racelab::tsan {

[[nodiscard]] constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

class words {
 public:
  explicit words(std::string_view text) : rest_(text) {}

  [[nodiscard]] std::string_view rest() const noexcept { return rest_; }

  bool take(std::string_view literal) noexcept {
    if (!rest_.starts_with(literal)) return false;
    rest_.remove_prefix(literal.size());
    return true;
  }

  /// A number without sign; nothing if there is none or if it is larger than 64 bits.
  std::optional<std::uint64_t> take_number(int base = 10) noexcept {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value, base);
    if (error != std::errc()) return std::nullopt;
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return value;
  }

  /// 0x7b08, or (nil) as some runtimes print 0.
  std::optional<std::uint64_t> take_address() noexcept {
    if (take("(nil)")) return 0;
    if (!rest_.starts_with("0x")) return std::nullopt;
    words digits(rest_.substr(2));
    const auto value = digits.take_number(16);
    if (value) rest_ = digits.rest();
    return value;
  }

  /// What stands before `end`, which is taken too; nothing if `end` does not come.
  std::optional<std::string_view> take_until(std::string_view end) noexcept {
    const auto at = rest_.find(end);
    if (at == std::string_view::npos) return std::nullopt;
    const auto before = rest_.substr(0, at);
    rest_.remove_prefix(at + end.size());
    return before;
  }

 private:
  std::string_view rest_;
};

}  // namespace racelab::tsan
