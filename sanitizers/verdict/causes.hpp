// Causes: why a race that was never caught is reported.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "sanitizers/verdict/runner.hpp"
#include "sanitizers/verdict/targets.hpp"
#include "sanitizers/verdict/waiting.hpp"

namespace racelab::verdict {

/// In so many runs with an option a report must not be seen, if it was in `seen` of `usual_runs` without: were the option of no
/// matter, all runs that have it would be among the usual ones with a chance below 1 % (R. A. Fisher's exact test, one-sided).
/// A report that was seen once was perhaps lucky: it takes hundreds.
[[nodiscard]] unsigned runs_to_vanish(unsigned seen, unsigned usual_runs);

class causes {
 public:
  causes(target_list& all, runner& runs) : all_(all), runs_(runs), waits_(all, runs) {}

  /// So many runs were made to get the reports: they count as those without a further option.
  void take_usual_runs(unsigned made);

  /// Decides about the reports that were not caught: ordering-only, likely-false with its cause, or neither. One may be caught
  /// on the way.
  void conclude(const std::vector<target*>& open);

  /// The time was over before each of them had been asked.
  [[nodiscard]] bool ran_out_of_time() const noexcept { return waits_.ran_out_of_time(); }

  /// Says of a report about which nothing was found in the end that it is unconfirmed.
  static void leave_open(target& of);

 private:
  // The runs under ThreadSanitizer with one more option: in how many each report came.
  struct option_trials {
    unsigned runs = 0;
    std::map<std::string, unsigned> seen;  // by id
  };

  const option_trials& trials_with(std::string_view option, unsigned wanted, const std::string& id = {});
  bool vanishes(target& of, std::string_view option);
  static void leave_unjudged(target& of);
  void conclude_weak(target& of);
  void conclude_strong(target& of);
  [[nodiscard]] bool touches_library(const target& of) const;
  [[nodiscard]] bool any_caught() const;

  target_list& all_;
  runner& runs_;
  waits waits_;
  std::map<std::string, option_trials, std::less<>> by_option_;
  double until_ = 1;  // this part of the budget may be spent on them
};

}  // namespace racelab::verdict
