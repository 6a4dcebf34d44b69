// Log line: finds the runtime's own words in a line of a log, whatever stands before them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace racelab::tsan {

enum class line_kind : std::uint8_t {
  other,           // nothing of a report
  separator,       // ==================
  warning,         // WARNING: ThreadSanitizer: data race (pid=7)
  error,           // ERROR: ThreadSanitizer: SEGV on unknown address …
  fatal,           // FATAL: ThreadSanitizer…
  message,         // ThreadSanitizer: CHECK failed: …
  deadly_signal,   // ThreadSanitizer:DEADLYSIGNAL
  signal_access,   // The signal is caused by a WRITE memory access.
  summary,         // SUMMARY: ThreadSanitizer: …
  frame,           // #0 …
  lost_stack,      // [failed to restore the stack]
  access,          // Previous write of size 4 at …
  sleep,           // As if synchronized via sleep:
  location,        // Location is …
  inside_of,       // 0x7b04 is located 8 bytes inside of …
  mutex,           // Mutex M0 …
  thread,          // Thread T1 …
  cycle,           // Cycle in lock order graph: …
  hint,            // Hint: use TSAN_OPTIONS=second_deadlock_stack=1 …
  more_leaks,      // And 2 more similar thread leaks.
  ignores,         // One of the following ignores was not ended …
  ignore_enabled,  // Ignore was enabled at:
  go_race,         // WARNING: DATA RACE
  go_deadlock,     // WARNING: DEADLOCK
  go_access,       // Previous write at …
  go_heap,         // Heap block of size …
  go_global,       // Global var …
  go_routine,      // Goroutine 7 …
  go_mutex,        // Mutex 1 was previously locked here:
};

/// Views into the line.
struct log_line {
  line_kind kind = line_kind::other;
  std::string_view prefix;  // what stands before, less "==7==" and spaces at its end
  std::string_view text;    // from the word on that gave it away
  long process = 0;         // of "==7==", which stands in few lines
};

/// True for a report's first line.
[[nodiscard]] bool begins_report(line_kind kind) noexcept;

/// Looks at one line without its end and without escape sequences.
[[nodiscard]] log_line recognise(std::string_view line);

/// What lines of one process have in common before the runtime's words: a prefix less times, dates and spaces at both
/// ends, with single spaces. "2024-05-01T10:00:00.1234567Z web-1  | " becomes "web-1 |", and so does
/// "2024-05-01T10:00:03.0000001Z web-1  | ".
void stream_of(std::string_view prefix, std::string& stream);

/// True if two streams differ in nothing but digits: a time in a form that stream_of does not know, perhaps.
[[nodiscard]] bool differ_in_digits_only(std::string_view a, std::string_view b);

/// What follows in `line` after a prefix that differs from `prefix` in digits only; nothing if it begins otherwise.
[[nodiscard]] std::optional<std::string_view> behind_prefix(std::string_view prefix, std::string_view line);

/// The line less ANSI escape sequences and a carriage return at its end; `buffer` holds it if any had to go.
[[nodiscard]] std::string_view plain(std::string_view line, std::string& buffer);

}  // namespace racelab::tsan
