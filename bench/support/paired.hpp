// Paired: how much slower is one piece of code than another, on a machine whose speed wanders?
//
// The two are timed turn by turn and each turn gives one ratio, so that a change of clock speed or a noisy
// neighbour hits both sides. The median of the ratios is reported with its order-statistics interval: the
// k-th smallest and k-th largest ratio, where k is the largest rank whose interval holds the true median with
// a probability of at least 95 %. That needs no assumption about how times are distributed. Source: W. J.
// Conover, "Practical Nonparametric Statistics", section 3.2.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <utility>
#include <vector>

namespace racelab::bench {

/// Time of `a` over time of `b`: the median of all rounds and its 95 % interval.
struct paired_ratio {
  double median = 0;
  double low = 0;
  double high = 0;
};

/// The median of `values`, which may not be empty; the mean of the middle two for an even number.
[[nodiscard]] inline double median_of(std::vector<double> values) {
  const std::size_t half = values.size() / 2;
  std::ranges::nth_element(values, values.begin() + static_cast<std::ptrdiff_t>(half));
  const double upper = values[half];
  if (values.size() % 2 == 1) return upper;
  return (upper + *std::max_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(half))) / 2;
}

/// The rank k such that the k-th smallest and the k-th largest of `n` values enclose the median with a
/// probability of at least 95 %: the largest k with P(Binomial(n, 1/2) < k) <= 2.5 %. Below n = 6 no rank
/// does; then it is 1, the whole range.
[[nodiscard]] inline std::size_t interval_rank(std::size_t n) {
  const auto count = static_cast<double>(n);
  double below = 0;
  std::size_t rank = 0;
  while (rank < n) {
    const auto chosen = static_cast<double>(rank);
    below += std::exp(std::lgamma(count + 1) - std::lgamma(chosen + 1) - std::lgamma(count - chosen + 1) -
                      count * std::numbers::ln2);
    if (below > 0.025) break;
    ++rank;
  }
  return std::max<std::size_t>(rank, 1);
}

/// Median and interval of ratios that were measured already. `ratios` may not be empty.
[[nodiscard]] inline paired_ratio summarise(std::vector<double> ratios) {
  std::ranges::sort(ratios);
  const std::size_t rank = interval_rank(ratios.size());
  return {median_of(ratios), ratios[rank - 1], ratios[ratios.size() - rank]};
}

/// `values` over `references`, each in its round: of the rounds that both have, one at least.
[[nodiscard]] inline paired_ratio summarise_ratios(const std::vector<double>& values,
                                                   const std::vector<double>& references) {
  const std::size_t rounds = std::min(values.size(), references.size());
  std::vector<double> ratios;
  ratios.reserve(rounds);
  for (std::size_t round = 0; round < rounds; ++round) ratios.push_back(values[round] / references[round]);
  return summarise(std::move(ratios));
}

/// Calls `a` and `b` `rounds` times each (after one untimed call of both) and compares their times. One call
/// should take some tens of microseconds at least, so that reading the clock does not count. Who goes first
/// alternates.
template <typename A, typename B> [[nodiscard]] paired_ratio run(A a, B b, std::size_t rounds) {
  const auto seconds = [](auto& work) {
    const auto start = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  a();
  b();
  std::vector<double> ratios;
  ratios.reserve(rounds);
  for (std::size_t round = 0; round < rounds; ++round) {
    double time_a = 0;
    double time_b = 0;
    if (round % 2 == 0) {
      time_a = seconds(a);
      time_b = seconds(b);
    } else {
      time_b = seconds(b);
      time_a = seconds(a);
    }
    ratios.push_back(time_a / time_b);
  }
  return summarise(std::move(ratios));
}

}  // namespace racelab::bench
