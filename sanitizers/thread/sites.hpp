// Sites: where a report's parties stand in the user's own code, and the report's signature made of that.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "sanitizers/thread/report.hpp"

namespace racelab::tsan {

/// A stack that a report is about: an access, a lock's acquisition, a misuse.
struct party {
  std::string what;  // its title; empty if there is nothing to be said
  const stack* where = nullptr;
};

/// The report's parties in the order of the report. They point into it.
[[nodiscard]] std::vector<party> parties(const report& of);

/// "main thread", "thread T1 'writer'", "goroutine 7", "an unknown thread".
[[nodiscard]] std::string thread_title(const report& in, thread_number number);

/// "previous write of 8 bytes by thread T1, holding M0"
[[nodiscard]] std::string access_title(const report& in, const access& of);

/// "M1 locked while holding M0, by thread T1"
[[nodiscard]] std::string acquisition_title(const report& in, const acquisition& of);

/// "heap block of 16 bytes, 8 bytes into it, allocated by main thread", "global 'visits' of 4 bytes". The report must have a
/// location.
[[nodiscard]] std::string location_title(const report& of);

/// True for a frame whose source is the sanitizer's runtime.
[[nodiscard]] bool is_sanitizer_frame(const frame& candidate);

/// True for a frame of the sanitizer's runtime, the C++ library or thread start-up, or of Go's runtime.
[[nodiscard]] bool is_library_frame(const frame& candidate);

/// The index of the first frame in the user's own code: one with a source file, or else one that has a name, or else any
/// that is not of a library; 0 if there is none, or no frame at all.
[[nodiscard]] std::size_t user_frame(const stack& of);

/// What reports of the same bug have in common: the kind, and function (without template arguments) and file name of each
/// party's user frame, sorted, so that it doesn't matter who came first. Line numbers are no part of it: an edit above
/// would change them. Of a frame without symbols, the module's name and the offset.
[[nodiscard]] std::string signature(const report& of);

/// `signature` as 16 hexadecimal digits.
[[nodiscard]] std::string fingerprint(std::string_view signature);

}  // namespace racelab::tsan
