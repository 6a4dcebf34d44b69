// Runner: runs the program that is judged, within a budget of time, and keeps what every run teaches.
#pragma once

#include <chrono>
#include <cstdint>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "sanitizers/verdict/judge.hpp"

namespace racelab::verdict {

class runner {
 public:
  runner(judged_program& program, const judge_settings& settings, const judge_progress& progress);

  /// Seconds since the beginning.
  [[nodiscard]] double spent() const;
  /// Less than this part of the budget is spent, and nobody wants to stop.
  [[nodiscard]] bool has_time(double part) const;
  /// The part of the budget that is spent.
  [[nodiscard]] double part_spent() const { return spent() / settings_.budget.count(); }
  [[nodiscard]] bool stopped() const { return program_.stopped(); }
  /// What is being done, for a display.
  void tell(const std::string& text) const;

  /// Sets the request's timeout.
  tsan_run tsan(tsan_request request);
  /// Sets the request's seed and timeout. Lines of its plan for which a plan has no room are left out: the last ones, and those
  /// that are there before.
  watch_run watch(watch_request request);

  /// A few watched runs in which nothing is stalled, to compare with. If all of them die, and none does when new and freed memory
  /// stays as it is, all further runs are made so.
  void watch_undisturbed(double part);
  [[nodiscard]] bool marks_heap() const noexcept { return marks_heap_; }
  [[nodiscard]] const std::vector<ending>& undisturbed() const noexcept { return undisturbed_; }

  /// How long a watched run may take.
  [[nodiscard]] std::chrono::milliseconds timeout() const;
  /// The program does not end by itself: all runs are cut short.
  [[nodiscard]] bool is_unending() const noexcept { return is_unending_; }
  /// Such a one did not come to the sites of any report: it is given twice the time.
  void allow_more_time();

  /// All sites of accesses that any run has visited.
  [[nodiscard]] const std::vector<visited_site>& sites() const noexcept { return sites_; }
  /// … and of fences.
  [[nodiscard]] const std::set<place>& fences() const noexcept { return fences_; }

  /// `enter …`, `stall …`, `observe …`: lines of a plan.
  static void delay_entries(watch_request& request);
  [[nodiscard]] std::string stall(const place& at, unsigned microseconds, const std::string& more) const;
  void observe(watch_request& request, const std::set<place>& sites) const;

  [[nodiscard]] bool is_instrumented(const std::string& module) const {
    return program_.is_instrumented(module);
  }
  [[nodiscard]] bool has_archer() const { return program_.has_archer(); }
  [[nodiscard]] module_table& modules() const { return program_.modules(); }
  [[nodiscard]] place_names& names() noexcept { return names_; }
  [[nodiscard]] std::mt19937_64& random() noexcept { return random_; }
  [[nodiscard]] unsigned tsan_runs() const noexcept { return tsan_runs_; }
  [[nodiscard]] unsigned watch_runs() const noexcept { return watch_runs_; }

 private:
  void run_undisturbed(double part);

  judged_program& program_;
  const judge_settings& settings_;
  const judge_progress& progress_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  place_names names_;
  std::mt19937_64 random_;
  std::vector<ending> undisturbed_;
  double undisturbed_ms_ = 0;
  double tsan_ms_ = 0;
  bool marks_heap_ = true;
  bool is_unending_ = false;  // it did not end by itself
  double unending_ms_ = 0;    // how long it is run then
  unsigned tsan_runs_ = 0;
  unsigned watch_runs_ = 0;
  std::set<place> known_sites_;
  std::vector<visited_site> sites_;
  std::set<place> fences_;
};

/// The lines that a plan has room for (watch::plan), each once.
[[nodiscard]] std::vector<std::string> fitting_plan(const std::vector<std::string>& lines);

}  // namespace racelab::verdict
