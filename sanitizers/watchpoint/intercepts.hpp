// libc's functions that touch the caller's memory, as far as instrumented modules call them: what stands before them (memory and
// strings in intercepts.cpp, input and output in io_intercepts.cpp) announces their accesses.
#pragma once

#include <cstddef>
#include <cstdint>

namespace racelab::watch {

/// From now on calls out of the module around this return address are looked at. Once for each module; a module past the
/// first 256 goes unwatched.
void note_instrumented_module(std::uintptr_t pc) noexcept;

/// Whether it is worth measuring what a call that returns there touches: look() asks the same again but for the module.
[[nodiscard]] bool is_watched(std::uintptr_t pc) noexcept;

/// Announces an access; the thread may be stalled meanwhile, and unwound if it was cancelled.
void reads(const void* start, std::size_t size, std::uintptr_t pc);
void writes(const void* start, std::size_t size, std::uintptr_t pc);

}  // namespace racelab::watch

#define RACELAB_PC reinterpret_cast<std::uintptr_t>(__builtin_return_address(0))
// `function` of ours is what `symbol` means. Not noexcept, though libc's are: a thread that was cancelled meanwhile is unwound
// from here. Weak: a program may bring its own.
#define RACELAB_INTERCEPT_AS(symbol, result, function, parameters)                      \
  [[gnu::weak, gnu::visibility("default")]] result function parameters __asm__(symbol); \
  result function parameters
#define RACELAB_INTERCEPT(result, name, parameters) \
  RACELAB_INTERCEPT_AS(#name, result, call_##name, parameters)
