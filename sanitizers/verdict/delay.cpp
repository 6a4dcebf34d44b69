#include "sanitizers/verdict/delay.hpp"

#include <boost/math/distributions/students_t.hpp>
#include <cmath>

namespace racelab::verdict {

bool delay_line::waits() const noexcept {
  constexpr std::size_t least_points = 20;
  constexpr double tolerance = 0.2;
  return points >= least_points && low >= 1 - tolerance && high <= 1 + tolerance;
}

std::optional<delay_line> fit(const std::vector<delay_point>& points) {
  const auto n = static_cast<double>(points.size());
  if (points.size() < 3) return std::nullopt;
  double mean_x = 0;
  double mean_y = 0;
  for (const delay_point& each : points) {
    mean_x += each.stalled_ms / n;
    mean_y += each.came_ms / n;
  }
  double xx = 0;
  double xy = 0;
  for (const delay_point& each : points) {
    xx += (each.stalled_ms - mean_x) * (each.stalled_ms - mean_x);
    xy += (each.stalled_ms - mean_x) * (each.came_ms - mean_y);
  }
  if (xx == 0) return std::nullopt;
  delay_line line;
  line.points = points.size();
  line.slope = xy / xx;
  line.intercept_ms = mean_y - line.slope * mean_x;
  double residuals = 0;
  for (const delay_point& each : points) {
    const double miss = each.came_ms - line.intercept_ms - line.slope * each.stalled_ms;
    residuals += miss * miss;
  }
  const double error = std::sqrt(residuals / (n - 2) / xx);
  const double t = boost::math::quantile(boost::math::students_t(n - 2), 0.975);
  line.low = line.slope - t * error;
  line.high = line.slope + t * error;
  return line;
}

}  // namespace racelab::verdict
