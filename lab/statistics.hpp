// Statistics: what can be said of a rate after some trials, and a median.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

namespace racelab::lab {

/// Bounds of a proportion, 0 <= low <= high <= 1.
struct interval {
  double low = 0;
  double high = 1;
};

/// Wilson's score interval for `failures` out of `trials`, 95 % two-sided. Unlike the normal approximation it
/// stays within [0, 1] and means something at 0 or at all of them; without trials it is [0, 1].
/// Source: E. B. Wilson, JASA 22 (1927), 209-212, without continuity correction.
[[nodiscard]] interval wilson95(std::size_t failures, std::size_t trials) noexcept;

/// The middle value, or the mean of the middle two; nothing for no values.
[[nodiscard]] std::optional<double> median(std::vector<double> values);

}  // namespace racelab::lab
