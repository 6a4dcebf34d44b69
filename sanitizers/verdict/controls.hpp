// Controls: correct programs that are reported for a known cause (controls.def).
#pragma once

#include <span>
#include <string_view>

namespace racelab::verdict {

struct negative_control {
  std::string_view cause;
  std::string_view program;    // repro/PROGRAM.cpp
  std::string_view mechanism;  // what makes its order
  std::string_view advice;     // how ThreadSanitizer is told of such an order
};

[[nodiscard]] std::span<const negative_control> negative_controls() noexcept;

/// That of a cause; null if there is none.
[[nodiscard]] const negative_control* control_of(std::string_view cause) noexcept;

}  // namespace racelab::verdict
