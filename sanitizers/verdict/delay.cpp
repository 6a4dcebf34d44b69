#include "sanitizers/verdict/delay.hpp"

#include <algorithm>
#include <cmath>

namespace racelab::verdict {
namespace {

double median_of_sorted(const std::vector<double>& values) {
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

constexpr double tolerance = 0.2;  // of a slope of 1

}  // namespace

bool delay_line::waits() const noexcept {
  return points >= least_points && low >= 1 - tolerance && high <= 1 + tolerance;
}

bool delay_line::seems_to_wait() const noexcept {
  return points >= least_points_beside && low > 0 && std::abs(slope - 1) <= tolerance;
}

std::optional<delay_line> fit(const std::vector<delay_point>& points) {
  if (points.size() < 3) return std::nullopt;
  std::vector<double> slopes;
  for (std::size_t i = 0; i < points.size(); ++i)
    for (std::size_t j = i + 1; j < points.size(); ++j)
      if (points[i].stalled_ms != points[j].stalled_ms)
        slopes.push_back((points[j].came_ms - points[i].came_ms) /
                         (points[j].stalled_ms - points[i].stalled_ms));
  if (slopes.empty()) return std::nullopt;
  std::ranges::sort(slopes);
  delay_line line;
  line.points = points.size();
  line.slope = median_of_sorted(slopes);
  std::vector<double> left;
  for (const delay_point& each : points) left.push_back(each.came_ms - line.slope * each.stalled_ms);
  std::ranges::sort(left);
  line.intercept_ms = median_of_sorted(left);
  // How far from the median slope the interval reaches, in ranks: the standard error of Kendall's S.
  constexpr double z = 1.959964;
  const auto n = static_cast<double>(points.size());
  const double ranks = z * std::sqrt(n * (n - 1) * (2 * n + 5) / 18);
  const auto count = static_cast<double>(slopes.size());
  const auto at = [&](double rank) {
    return slopes[static_cast<std::size_t>(std::clamp(rank, 0.0, count - 1))];
  };
  line.low = at(std::floor((count - ranks) / 2));
  line.high = at(std::ceil((count + ranks) / 2));
  return line;
}

}  // namespace racelab::verdict
