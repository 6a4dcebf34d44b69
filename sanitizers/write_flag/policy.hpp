// What a map with a write flag needs of its detector. `off` compiles to nothing; `on` reports and, by
// default, dies.
#pragma once

#include <atomic>
#include <cstdint>

namespace racelab::write_flag {

/// What was seen. The messages are Go's where Go has one (message() in report.hpp).
enum class misuse : std::uint8_t {
  writes,               // concurrent map writes
  read_and_write,       // concurrent map read and map write
  iteration_and_write,  // concurrent map iteration and map write
  clone_and_write,      // concurrent map clone and map write
  len_and_write,        // beyond Go: concurrent map len and map write
  destroyed_in_use,     // beyond Go: map destroyed while in use
  moved_in_use,         // beyond Go: map moved while in use
};

/// Set by a detecting thread in the flags byte of the map, beside the map's own "writing" bit: the writer
/// finds it when it leaves, stops there and hands over its stack.
inline constexpr std::uint8_t caught_bit = 0x80;

/// No detector: no state, no code.
struct off {
  static constexpr bool enabled = false;
  static void entered(const void* /*map*/) noexcept {}
  static void left(const void* /*map*/) noexcept {}
  static void found(misuse /*what*/, const void* /*map*/, std::atomic<std::uint8_t>& /*flags*/) noexcept {}
};

}  // namespace racelab::write_flag
