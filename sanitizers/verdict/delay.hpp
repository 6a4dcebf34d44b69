// Delay propagation: does one access wait for another? The first is stalled for random times; if the second one comes later
// by the same time, something that can't be seen makes it wait.
//
// Sources: TSVD (Li et al., SOSP 2019), which infers happens-before from delays that propagate; the line is Theil's and Sen's
// (P. K. Sen, JASA 63 (1968), 1379-1389), because a scheduler makes outliers.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

namespace racelab::verdict {

/// One run: how long the first access was stalled, and when the second one came, from the stall's beginning.
struct delay_point {
  double stalled_ms = 0;
  double came_ms = 0;
};

/// The line through the points whose slope is the median of the slopes between any two of them.
struct delay_line {
  double slope = 0;
  double low = 0;  // of the slope, 95 %, two-sided, by Kendall's tau
  double high = 0;
  double intercept_ms = 0;  // the median of what the slope leaves
  std::size_t points = 0;

  /// Fewer say nothing.
  static constexpr std::size_t least_points = 20;

  /// The second access waits for the first: the slope is near 1 and known well.
  [[nodiscard]] bool waits() const noexcept;

  /// Fewer say nothing even where something else speaks for an order.
  static constexpr std::size_t least_points_beside = 8;

  /// The slope is near 1, though not known well, and is not 0: enough only beside other evidence of an order.
  [[nodiscard]] bool seems_to_wait() const noexcept;
};

/// Nothing if the points are fewer than three or all stalled for the same time.
[[nodiscard]] std::optional<delay_line> fit(const std::vector<delay_point>& points);

}  // namespace racelab::verdict
