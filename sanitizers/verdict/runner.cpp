#include "sanitizers/verdict/runner.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "sanitizers/watchpoint/plan.hpp"

namespace racelab::verdict {
namespace {

using milliseconds = std::chrono::milliseconds;

constexpr unsigned undisturbed_runs = 3;
// How long a run may take: what is known of it, and stalls on top of that.
constexpr double patience = 10;
constexpr double least_ms = 2'000;
// What the first run may take of the budget, when nothing is known.
constexpr double for_first_run = 0.3;
constexpr double least_first_ms = 5'000;
// What a run of a program that never ends may take, at first: most of what it does is done early.
constexpr double for_unending_run = 0.05;
constexpr double least_unending_ms = 1'000;

milliseconds as_time(double ms) { return milliseconds(static_cast<std::int64_t>(ms)); }

// MODULE+0xOFFSET; nothing for a line without one. A module's path may have blanks in it.
std::string_view site_in(std::string_view line) {
  const std::size_t plus = line.rfind("+0x");
  if (plus == std::string_view::npos) return {};
  const std::size_t end = line.find(' ', plus);
  const std::size_t begin = line.find(' ') + 1;
  return line.substr(begin, end == std::string_view::npos ? end : end - begin);
}

}  // namespace

runner::runner(judged_program& program, const judge_settings& settings, const judge_progress& progress)
    : program_(program),
      settings_(settings),
      progress_(progress),
      names_(program.modules()),
      random_(settings.seed),
      unending_ms_(std::max(least_unending_ms, settings.budget.count() * 1000 * for_unending_run)) {}

double runner::spent() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
}

bool runner::has_time(double part) const { return !stopped() && part_spent() < part; }

void runner::tell(const std::string& text) const {
  if (progress_) progress_(text);
}

tsan_run runner::tsan(tsan_request request) {
  // It may be a server, which never ends.
  const double first_ms = std::max(least_first_ms, settings_.budget.count() * 1000 * for_first_run);
  const double usual_ms = is_unending_ ? first_ms / 3 : least_ms + patience * tsan_ms_;
  request.timeout = as_time(tsan_runs_ == 0 ? first_ms : usual_ms);
  tsan_run run = program_.run_tsan(request);
  if (run.end.timed_out)
    is_unending_ = is_unending_ || tsan_runs_ == 0;
  else
    tsan_ms_ = std::max(tsan_ms_, run.end.milliseconds);
  ++tsan_runs_;
  return run;
}

milliseconds runner::timeout() const {
  if (is_unending_) return as_time(unending_ms_);
  if (!undisturbed_.empty()) return as_time(least_ms + patience * undisturbed_ms_);
  // Without shadow memory it is no slower than under ThreadSanitizer.
  if (tsan_ms_ != 0) return as_time(least_ms + patience * tsan_ms_);
  return as_time(std::max(least_first_ms, settings_.budget.count() * 1000 * for_first_run));
}

void runner::allow_more_time() {
  if (is_unending_) unending_ms_ *= 2;
}

watch_run runner::watch(watch_request request) {
  request.seed = random_() >> 32U;  // few enough digits to be typed
  request.timeout = timeout();
  request.marks_heap = marks_heap_;
  request.plan = fitting_plan(request.plan);
  watch_run run = program_.run_watch(request);
  ++watch_runs_;
  for (const visited_site& each : run.found.sites)
    if (each.is_fence())
      fences_.insert(each.pc);
    else if (known_sites_.insert(each.pc).second)
      sites_.push_back(each);
  return run;
}

void runner::watch_undisturbed(double part) {
  run_undisturbed(part);
  const auto dies = [](const ending& each) { return each.signal != 0; };
  if (undisturbed_.size() < undisturbed_runs || !std::ranges::all_of(undisturbed_, dies)) return;
  const std::vector<ending> with_marks = std::exchange(undisturbed_, {});
  marks_heap_ = false;
  run_undisturbed(part);
  if (!undisturbed_.empty() && std::ranges::none_of(undisturbed_, dies)) return;
  marks_heap_ = true;
  undisturbed_ = with_marks;
}

void runner::run_undisturbed(double part) {
  for (unsigned i = 0; i < undisturbed_runs && (i == 0 || has_time(part)) && !stopped(); ++i) {
    tell(fmt::format("undisturbed, run {}", i + 1));
    watch_run run = watch({});
    if (stopped()) break;
    is_unending_ = is_unending_ || run.end.timed_out;
    undisturbed_ms_ = std::max(undisturbed_ms_, run.end.milliseconds);
    undisturbed_.push_back(std::move(run.end));
  }
}

// Long beside the start of a thread, so that the last one can come first.
void runner::delay_entries(watch_request& request) { request.plan.emplace_back("enter us=3000 chance=50"); }

std::vector<std::string> fitting_plan(const std::vector<std::string>& lines) {
  std::vector<std::string> fitting;
  std::set<std::string_view> sites;
  std::set<std::string_view> known;
  for (const std::string& line : lines) {
    const std::string_view site = site_in(line);
    const bool has_room = fitting.size() < watch::plan::most_rules &&
                          (sites.size() < watch::plan::most_sites || sites.contains(site));
    if (!has_room || !known.insert(line).second) continue;
    if (!site.empty()) sites.insert(site);
    fitting.push_back(line);
  }
  return fitting;
}

std::string runner::stall(const place& at, unsigned microseconds, const std::string& more) const {
  return fmt::format("stall {} us={} {}", program_.modules().text(at), microseconds, more);
}

void runner::observe(watch_request& request, const std::set<place>& sites) const {
  for (const place& each : sites) request.plan.push_back("observe " + program_.modules().text(each));
  request.wants_events = true;
}

}  // namespace racelab::verdict
