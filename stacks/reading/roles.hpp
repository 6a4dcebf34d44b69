// Roles: whose code a frame is, which frame threw, and which is the first that the reader wrote.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "stacks/reading/crash.hpp"

namespace racelab::reading {

enum class owner : std::uint8_t {
  handler,  // of the signal or the error itself: raise, abort, a sanitizer's report, Go's throw
  runtime,  // the language's or the system's: thread start, operator new, Go's runtime
  library,  // a container, a smart pointer, the lab's own maps
  yours,
  unknown,  // no name and no file
};

[[nodiscard]] std::string_view name(owner whose) noexcept;
[[nodiscard]] owner owner_of(const frame& one);

/// The frame at which the error came about: the first below a signal frame, otherwise the first that is no handler's.
/// Nothing for a stack of handlers.
[[nodiscard]] std::optional<std::size_t> thrower_of(const thread& one);

/// The innermost frame at or above `from` that is yours.
[[nodiscard]] std::optional<std::size_t> first_of_yours(const thread& one, std::size_t from = 0);

/// The thread that met the error: the one that tells of a signal in it, otherwise the first.
[[nodiscard]] std::optional<std::size_t> failed_thread(const crash& what);

/// True if the crash came of a null pointer: by its address or message, or by an argument of the frame that threw.
[[nodiscard]] bool used_null(const crash& what);

/// What is known of a message of glibc's, of the C++ library's, of a sanitizer's, of Go's or of the lab's own: one
/// sentence. Empty if nothing is.
[[nodiscard]] std::string_view meaning_of(std::string_view message) noexcept;

}  // namespace racelab::reading
