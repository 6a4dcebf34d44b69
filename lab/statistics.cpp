#include "lab/statistics.hpp"

#include <algorithm>
#include <cmath>

namespace racelab::lab {

interval wilson95(std::size_t failures, std::size_t trials) noexcept {
  if (trials == 0) return {};
  constexpr double z = 1.959963984540054;  // the normal distribution's 97.5 % quantile: erf(z/√2) = 0.95
  const auto n = static_cast<double>(trials);
  const double p = static_cast<double>(failures) / n;
  const double centre = p + z * z / (2 * n);
  const double spread = z * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n));
  const double scale = 1 + z * z / n;
  // The formula gives 0 and 1 exactly at the ends, but for the last bits.
  const double low = failures == 0 ? 0 : (centre - spread) / scale;
  const double high = failures == trials ? 1 : (centre + spread) / scale;
  return {.low = low, .high = high};
}

std::optional<double> median(std::vector<double> values) {
  if (values.empty()) return std::nullopt;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*std::max_element(values.begin(), middle) + *middle) / 2;
}

}  // namespace racelab::lab
