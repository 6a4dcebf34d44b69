#include "sanitizers/verdict/runner.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace racelab::verdict {
namespace {

using milliseconds = std::chrono::milliseconds;

constexpr unsigned undisturbed_runs = 3;
// How long a run may take: what is known of it, and stalls on top of that.
constexpr double patience = 10;
constexpr double least_ms = 2'000;

milliseconds as_time(double ms) { return milliseconds(static_cast<std::int64_t>(ms)); }

}  // namespace

runner::runner(judged_program& program, const judge_settings& settings, const judge_progress& progress)
    : program_(program),
      settings_(settings),
      progress_(progress),
      names_(program.modules()),
      random_(settings.seed) {}

double runner::spent() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
}

bool runner::has_time(double part) const { return !stopped() && part_spent() < part; }

void runner::tell(const std::string& text) const {
  if (progress_) progress_(text);
}

tsan_run runner::tsan(const std::vector<std::string>& options) {
  // The first one may take half of the budget, or ten seconds: it may be a server, which never ends.
  const double ms =
      tsan_ms_ == 0 ? std::max(10'000.0, settings_.budget.count() * 500) : least_ms + patience * tsan_ms_;
  tsan_run run = program_.run_tsan(options, as_time(ms));
  if (!run.end.timed_out) tsan_ms_ = std::max(tsan_ms_, run.end.milliseconds);
  ++tsan_runs_;
  return run;
}

milliseconds runner::timeout() const {
  return as_time(undisturbed_.empty() ? std::max(5'000.0, settings_.budget.count() * 250)
                                      : least_ms + patience * undisturbed_ms_);
}

watch_run runner::watch(watch_request request) {
  request.seed = random_() >> 32U;  // few enough digits to be typed
  request.timeout = timeout();
  watch_run run = program_.run_watch(request);
  ++watch_runs_;
  for (const visited_site& each : run.found.sites)
    if (known_sites_.insert(each.pc).second) sites_.push_back(each);
  return run;
}

void runner::watch_undisturbed(double part) {
  for (unsigned i = 0; i < undisturbed_runs && (i == 0 || has_time(part)); ++i) {
    tell(fmt::format("undisturbed, run {}", i + 1));
    watch_run run = watch({});
    // One that never ends by itself is given as long in each run.
    undisturbed_ms_ =
        std::max(undisturbed_ms_, run.end.timed_out ? run.end.milliseconds / patience : run.end.milliseconds);
    undisturbed_.push_back(std::move(run.end));
  }
}

std::string runner::stall(const place& at, unsigned microseconds, const std::string& more) const {
  return fmt::format("stall {} us={} {}", program_.modules().text(at), microseconds, more);
}

void runner::observe(watch_request& request, const std::set<place>& sites) const {
  for (const place& each : sites) request.plan.push_back("observe " + program_.modules().text(each));
  request.wants_events = true;
}

}  // namespace racelab::verdict
