// Causes: why a race that was never caught is reported.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "sanitizers/verdict/delay.hpp"
#include "sanitizers/verdict/mechanism.hpp"
#include "sanitizers/verdict/meetings.hpp"
#include "sanitizers/verdict/runner.hpp"
#include "sanitizers/verdict/targets.hpp"

namespace racelab::verdict {

/// Runs in which the first of two accesses that meet was stalled.
struct delay_series {
  double longest_ms = 0;
  std::vector<delay_point> points;
  std::set<unsigned> threads;  // that came
  std::size_t way = 0;         // in which most points were found: visits_to_stall
};

class causes {
 public:
  causes(target_list& all, runner& runs) : all_(all), runs_(runs) {}

  /// So many runs were made to get the reports: they count as those without a further option.
  void take_usual_runs(unsigned made);

  /// Decides about a report that was not caught: ordering-only, likely-false with its cause, or neither. It may be caught
  /// on the way.
  void conclude(target& of);

  /// Says of a report about which nothing was found in the end that it is unconfirmed.
  static void leave_open(target& of);

 private:
  // The runs under ThreadSanitizer with one more option: in how many each report came.
  struct option_trials {
    unsigned runs = 0;
    std::map<std::string, unsigned> seen;  // by id
  };

  const option_trials& trials_with(std::string_view option, unsigned wanted);
  bool vanishes(target& of, std::string_view option);
  [[nodiscard]] bool is_raced_in(std::string_view function) const;
  std::optional<mechanism> measure_delays(target& of);
  std::optional<mechanism> measure_delay(target& of, const meeting& at);
  delay_series measure_series(target& of, const meeting& at);
  mechanism find_mechanism(target& of, const meeting& at, const delay_series& series);
  watch_run stall_first(target& of, const meeting& at, double ms, std::size_t way, bool others);
  [[nodiscard]] bool is_inside_of_library(const target& of) const;
  [[nodiscard]] bool touches_library(const target& of) const;
  [[nodiscard]] bool any_caught() const;

  target_list& all_;
  runner& runs_;
  std::map<std::string, option_trials, std::less<>> by_option_;
};

}  // namespace racelab::verdict
