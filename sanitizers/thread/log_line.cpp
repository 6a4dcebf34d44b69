#include "sanitizers/thread/log_line.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <span>

#include "sanitizers/thread/words.hpp"

namespace racelab::tsan {
namespace {

// How lines of a kind begin.
struct beginning {
  std::string_view text;
  line_kind kind;
};

// Source: compiler-rt/lib/tsan/rtl/tsan_report.cpp, tsan_rtl_thread.cpp, sanitizer_symbolizer_report.cpp.
constexpr auto beginnings = std::to_array<beginning>({
    {"==================", line_kind::separator},
    {"WARNING: ThreadSanitizer: ", line_kind::warning},
    {"WARNING: DATA RACE", line_kind::go_race},
    {"WARNING: DEADLOCK", line_kind::go_deadlock},
    {"ERROR: ThreadSanitizer", line_kind::error},
    {"FATAL: ThreadSanitizer", line_kind::fatal},
    {"SUMMARY: ThreadSanitizer: ", line_kind::summary},
    {"ThreadSanitizer:DEADLYSIGNAL", line_kind::deadly_signal},
    {"ThreadSanitizer: ", line_kind::message},
    {"The signal is caused by a ", line_kind::signal_access},
    {"[failed to restore the stack]", line_kind::lost_stack},
    {"Write of size ", line_kind::access},
    {"Read of size ", line_kind::access},
    {"Atomic write of size ", line_kind::access},
    {"Atomic read of size ", line_kind::access},
    {"Previous write of size ", line_kind::access},
    {"Previous read of size ", line_kind::access},
    {"Previous atomic write of size ", line_kind::access},
    {"Previous atomic read of size ", line_kind::access},
    {"Modifying access of ", line_kind::access},
    {"Read-only access of ", line_kind::access},
    {"Previous modifying access of ", line_kind::access},
    {"Previous read-only access of ", line_kind::access},
    {"As if synchronized via sleep", line_kind::sleep},
    {"Location is ", line_kind::location},
    {"Mutex M", line_kind::mutex},
    {"Thread T", line_kind::thread},
    {"Cycle in lock order graph: ", line_kind::cycle},
    {"Hint: use TSAN_OPTIONS=second_deadlock_stack", line_kind::hint},
    {"One of the following ignores was not ended", line_kind::ignores},
    {"Ignore was enabled at:", line_kind::ignore_enabled},
    {"Write at 0x", line_kind::go_access},
    {"Read at 0x", line_kind::go_access},
    {"Previous write at 0x", line_kind::go_access},
    {"Previous read at 0x", line_kind::go_access},
    {"Heap block of size ", line_kind::go_heap},
    {"Global var ", line_kind::go_global},
    {"Goroutine ", line_kind::go_routine},
    {"Mutex ", line_kind::go_mutex},
});

// For each byte the beginnings that start with it, so that most bytes of a line cost one look-up.
struct beginnings_by_byte {
  static constexpr std::size_t most = 8;
  std::array<std::array<std::uint8_t, most>, 256> at{};
  std::array<std::uint8_t, 256> count{};

  constexpr beginnings_by_byte() {
    for (std::size_t i = 0; i < beginnings.size(); ++i) {
      const auto byte = static_cast<unsigned char>(beginnings[i].text.front());
      at[byte][count[byte]++] = static_cast<std::uint8_t>(i);
    }
  }

  [[nodiscard]] std::span<const std::uint8_t> of(unsigned char byte) const {
    return std::span(at[byte]).first(count[byte]);
  }
};

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

// "#12 ", after spaces. BuildKit begins lines with such a number of its own, so the runtime's indent is looked for first.
std::size_t find_frame(std::string_view line) {
  for (std::size_t at = line.find('#'); at != std::string_view::npos; at = line.find('#', at + 1)) {
    words number(line.substr(at + 1));
    if (!number.take_number() || !number.rest().starts_with(' ')) continue;
    const auto before = line.substr(0, at);
    if (before.ends_with("    ")) return at;
    // A log that lost its indents. What follows is no time then, as it would be of BuildKit's number.
    const char next = number.rest().size() > 1 ? number.rest()[1] : ' ';
    if (is_digit(next) && !number.rest().starts_with(" 0x")) continue;
    if (at == 0 || before.ends_with("| ") || before.ends_with(": ")) return at;
  }
  return std::string_view::npos;
}

// The numbers that follow tell these from what a program may say itself.
bool is_meant(line_kind kind, std::string_view text, std::size_t size) {
  const auto next = size < text.size() ? text[size] : '\0';
  switch (kind) {
    case line_kind::mutex:
    case line_kind::thread:
    case line_kind::go_mutex:
    case line_kind::go_routine:
      return is_digit(next);
    default:
      return true;
  }
}

void split(std::string_view line, std::size_t at, log_line& into) {
  into.text = line.substr(at);
  auto prefix = line.substr(0, at);
  while (!prefix.empty() && (prefix.back() == ' ' || prefix.back() == '\t')) prefix.remove_suffix(1);
  // ==7==ERROR: …
  if (prefix.ends_with("==")) {
    const auto open = prefix.rfind("==", prefix.size() - 3);
    if (prefix.size() > 4 && open != std::string_view::npos) {
      words number(prefix.substr(open + 2));
      const auto process = number.take_number();
      if (process && number.rest() == "==") {
        into.process = static_cast<long>(*process);
        prefix = prefix.substr(0, open);
        while (prefix.ends_with(' ')) prefix.remove_suffix(1);
      }
    }
  }
  into.prefix = prefix;
}

// The run of digits and of what joins them in times and dates, at the beginning of `text`.
std::string_view number_run(std::string_view text) {
  auto run = text.substr(0, text.find_first_not_of("0123456789:-./,+TZ"));
  while (!is_digit(run.back()) && run.back() != 'Z') run.remove_suffix(1);
  return run;
}

// 10:00:00.123, 2024-05-01, 2024/05/01T10:00:00Z, 12.345 (seconds), 1714557600
bool is_time(std::string_view run) {
  std::size_t colons = 0;
  std::size_t dots = 0;
  std::size_t dashes = 0;
  std::size_t digits = 0;
  for (const char c : run) {
    colons += c == ':' ? 1U : 0U;
    dots += c == '.' || c == ',' ? 1U : 0U;
    dashes += c == '-' || c == '/' ? 1U : 0U;
    digits += is_digit(c) ? 1U : 0U;
  }
  if (colons != 0) return true;
  if (dashes == 2 && digits >= 6) return true;
  return (dots == 1 && dashes == 0) || (digits >= 10 && digits == run.size());
}

}  // namespace

bool begins_report(line_kind kind) noexcept {
  switch (kind) {
    case line_kind::warning:
    case line_kind::error:
    case line_kind::fatal:
    case line_kind::message:
    case line_kind::deadly_signal:
    case line_kind::go_race:
    case line_kind::go_deadlock:
      return true;
    default:
      return false;
  }
}

log_line recognise(std::string_view line) {
  static constexpr beginnings_by_byte by_byte;
  log_line result;
  if (const auto at = find_frame(line); at != std::string_view::npos) {
    result.kind = line_kind::frame;
    split(line, at, result);
    return result;
  }
  for (std::size_t at = 0; at < line.size(); ++at) {
    const auto candidates = by_byte.of(static_cast<unsigned char>(line[at]));
    if (candidates.empty() || (at != 0 && is_word(line[at - 1]))) continue;
    const auto text = line.substr(at);
    for (const auto candidate : candidates) {
      const auto& [begins, kind] = beginnings[candidate];
      if (!text.starts_with(begins) || !is_meant(kind, text, begins.size())) continue;
      result.kind = kind;
      split(line, at, result);
      return result;
    }
  }
  // These are known by their middle.
  if (const auto at = line.find(" is located "); at != std::string_view::npos) {
    if (const auto start = line.rfind("0x", at); start != std::string_view::npos) {
      result.kind = line_kind::inside_of;
      split(line, start, result);
    }
  } else if (const auto leaks = line.find(" more similar thread leaks"); leaks != std::string_view::npos) {
    if (const auto start = line.rfind("And ", leaks); start != std::string_view::npos) {
      result.kind = line_kind::more_leaks;
      split(line, start, result);
    }
  }
  return result;
}

void stream_of(std::string_view prefix, std::string& stream) {
  stream.clear();
  bool space = false;
  char before = ' ';
  while (!prefix.empty()) {
    std::string_view piece = prefix.substr(0, 1);
    if (is_digit(piece.front()) && !is_word(before)) {
      piece = number_run(prefix);
      before = piece.back();
      prefix.remove_prefix(piece.size());
      if (is_time(piece)) continue;
    } else {
      before = piece.front();
      prefix.remove_prefix(1);
      if (before == ' ' || before == '\t') {
        space = true;
        continue;
      }
    }
    if (space && !stream.empty()) stream += ' ';
    space = false;
    stream += piece;
  }
}

std::optional<std::string_view> behind_prefix(std::string_view prefix, std::string_view line) {
  const auto skip_digits = [](std::string_view& text) {
    while (!text.empty() && is_digit(text.front())) text.remove_prefix(1);
  };
  while (true) {
    skip_digits(prefix);
    skip_digits(line);
    if (prefix.empty()) return line;
    if (line.empty() || prefix.front() != line.front()) return std::nullopt;
    prefix.remove_prefix(1);
    line.remove_prefix(1);
  }
}

bool differ_in_digits_only(std::string_view a, std::string_view b) { return behind_prefix(a, b) == ""; }

std::string_view plain(std::string_view line, std::string& buffer) {
  constexpr char escape = '\x1b';
  if (line.find(escape) != std::string_view::npos) {
    buffer.clear();
    while (!line.empty()) {
      if (line.front() != escape) {
        const auto end = std::min(line.find(escape), line.size());
        buffer += line.substr(0, end);
        line.remove_prefix(end);
        continue;
      }
      // ESC [ parameters final; anything else that begins with ESC loses that byte alone.
      line.remove_prefix(1);
      if (!line.starts_with('[')) continue;
      const auto final = line.find_first_of("ABCDEFGHJKSTfhlmnsu");
      line.remove_prefix(final == std::string_view::npos ? line.size() : final + 1);
    }
    line = buffer;
  }
  while (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

}  // namespace racelab::tsan
