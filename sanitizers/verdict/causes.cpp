#include "sanitizers/verdict/causes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include "sanitizers/verdict/catching.hpp"
#include "sanitizers/verdict/delay.hpp"
#include "stacks/text.hpp"

namespace racelab::verdict {
namespace {

using stacks::plural;

constexpr std::string_view stronger_atomics = "force_seq_cst_atomics=1";
constexpr std::string_view without_libraries = "ignore_noninstrumented_modules=1";
constexpr unsigned option_runs = 6;
constexpr unsigned most_option_runs = 24;
constexpr unsigned delay_points = 24;
constexpr unsigned most_delay_runs = 120;
constexpr double shortest_delay_ms = 20;  // the longest stall of a series, at least and at most
constexpr double longest_delay_ms = 80;
constexpr std::size_t most_series = 3;  // of one report
constexpr std::size_t mechanism_samples = 4;
constexpr unsigned most_mechanism_runs = 8;
constexpr double until = 0.95;  // of the budget

bool is_in_atomic_shared_ptr(const target& of) {
  for (const report_side& side : of.sides)
    for (const tsan::frame& each : side.frames)
      if (each.function.find("_Sp_atomic") != std::string::npos ||
          each.file.find("shared_ptr_atomic.h") != std::string::npos)
        return true;
  return false;
}

// Which visits of the first site are stalled: in other runs the threads may come in another order, so that the visit which
// met the other thread once meets nobody.
std::string visits_to_stall(std::size_t way, const meeting& at) {
  switch (way) {
    case 0:
      return fmt::format("thread={} visit={}", at.first.thread, at.first.visit);
    case 1:
      return "limit=4";
    case 2:
      return "shared=1 limit=4";
    default:
      return "chance=10 limit=4";
  }
}
constexpr std::size_t ways_to_stall = 4;

void add_not_caught(target& of) {
  if (!of.reached())
    of.add_evidence("not-reached", fmt::format("no run came to {} while the program had threads",
                                               at_line(of.out.sites[of.sites[0].empty() ? 0 : 1])));
  of.add_evidence("not-caught", "both threads were not caught in " + plural(of.out.trials, "run"));
}

std::string what_follows_from(const delay_line& line) {
  if (line.waits()) return "it waits";
  if (line.points < delay_line::least_points)
    return fmt::format("there is no saying yet: {} runs are needed", delay_line::least_points);
  return "nothing says that it waits";
}

}  // namespace

const causes::option_trials& causes::trials_with(std::string_view option, unsigned wanted) {
  option_trials& counts = by_option_[std::string(option)];
  std::vector<std::string> options;
  if (!option.empty()) options.emplace_back(option);
  while (counts.runs < wanted && runs_.has_time(until)) {
    runs_.tell(fmt::format("ThreadSanitizer with {}, run {}", option.empty() ? "its usual options" : option,
                           counts.runs + 1));
    tsan_run run = runs_.tsan(options);
    // One that was cut short may not have come to the race.
    if (runs_.stopped()) break;
    if (run.end.timed_out && !runs_.is_unending()) continue;
    for (const std::string& each : all_.ids_of(std::move(run.reports))) ++counts.seen[each];
    ++counts.runs;
  }
  return counts;
}

void causes::take_usual_runs(unsigned made) {
  option_trials& usual = by_option_[""];
  usual.runs = made;
  for (std::size_t i = 0; i < all_.size(); ++i) usual.seen[all_.at(i).out.id] = all_.at(i).out.seen;
}

// In none of so many runs with the option that, were it reported there as often as without, that would come out in fewer
// than one case of a hundred.
bool causes::vanishes(target& of, std::string_view option) {
  constexpr double unlikely = 0.01;
  const option_trials& usual = trials_with("", option_runs);
  const auto seen = usual.seen.find(of.out.id);
  if (seen == usual.seen.end()) return false;
  const double rate = seen->second / (usual.runs + 1.0);  // as if it had been missed once
  const auto wanted = static_cast<unsigned>(std::ceil(std::log(unlikely) / std::log(1 - rate)));
  const option_trials& with = trials_with(option, std::clamp(wanted, option_runs, most_option_runs));
  if (with.runs == 0 || with.seen.contains(of.out.id)) return false;
  // What is reported inside of such a library can't be reported with the option.
  const bool can_not = option == without_libraries && is_inside_of_library(of);
  if (with.runs < wanted && !can_not) return false;
  of.add_evidence("vanishes", fmt::format("reported in {} of {} runs, and in 0 of {} with {}", seen->second,
                                          usual.runs, with.runs, option));
  return true;
}

std::optional<mechanism> causes::measure_delays(target& of) {
  for (unsigned tries = 0; tries < 3 && of.meetings.empty() && runs_.has_time(until); ++tries)
    observe_meetings(of, all_, runs_);
  std::vector<mechanism> found;
  std::set<std::pair<place, place>> measured;
  const std::vector<meeting> candidates = of.meetings;
  for (const meeting& each : candidates) {
    if (measured.size() == most_series || of.caught) break;
    if (!measured.emplace(each.first.pc, each.second.pc).second) continue;
    if (const auto waits = measure_delay(of, each)) found.push_back(*waits);
  }
  if (found.empty()) return std::nullopt;
  return common_mechanism(found);
}

// Both accesses are made by a library that was not compiled with -fsanitize=thread.
bool causes::is_inside_of_library(const target& of) const {
  const auto is_users = [&](const tsan::frame& frame) {
    return frame.line != 0 && runs_.is_instrumented(frame.module);
  };
  return std::ranges::none_of(
      of.sides, [&](const report_side& side) { return std::ranges::any_of(side.frames, is_users); });
}

// That option leaves out all accesses of memcpy, free, read and their kin, whoever calls them: what is no library's vanishes
// without telling anything.
bool causes::touches_library(const target& of) const {
  const auto is_library = [&](const tsan::frame& frame) {
    return !frame.module.empty() && !runs_.is_instrumented(frame.module);
  };
  return std::ranges::any_of(of.sides, [&](const report_side& side) {
    return std::ranges::any_of(side.inner, is_library) ||
           (!side.frames.empty() && is_library(side.frames.front()));
  });
}

bool causes::any_caught() const {
  for (std::size_t i = 0; i < all_.size(); ++i)
    if (all_.at(i).caught) return true;
  return false;
}

bool causes::is_raced_in(std::string_view function) const {
  for (std::size_t i = 0; i < all_.size(); ++i) {
    const target& each = all_.at(i);
    if (each.caught && std::ranges::any_of(each.out.sites, [&](const judged_site& site) {
          return site.function == function;
        }))
      return true;
  }
  return false;
}

// Stalls the first of two accesses that meet, and looks who comes after it and when.
watch_run causes::stall_first(target& of, const meeting& at, double ms, std::size_t way, bool others) {
  watch_request request;
  request.plan.push_back(runs_.stall(at.first.pc, static_cast<unsigned>(ms * 1000),
                                     visits_to_stall(way, at) + (others ? " others=1" : "")));
  runs_.observe(request, of.both_sites());
  watch_run run = runs_.watch(request);
  ++of.out.trials;
  all_.take_caught(run.found, request.plan);
  return run;
}

// Of each run, the first stall that somebody came after counts.
delay_series causes::measure_series(target& of, const meeting& at) {
  delay_series series;
  series.longest_ms = std::clamp(6 * at.gap_ms(), shortest_delay_ms, longest_delay_ms);
  std::uniform_real_distribution<double> length_ms(series.longest_ms / delay_points, series.longest_ms);
  std::array<unsigned, ways_to_stall> found{};  // points, by the way in which visits were chosen
  for (unsigned i = 0; i < most_delay_runs && series.points.size() < delay_points; ++i) {
    if (!runs_.has_time(until) || of.caught) break;
    if (i == 2 * ways_to_stall && series.points.empty()) break;  // they hardly ever meet
    runs_.tell(fmt::format("{}: does the other thread wait, run {}", at_line(of.out.sites.front()), i + 1));
    series.way = static_cast<std::size_t>(std::ranges::max_element(found) - found.begin());
    const std::size_t way = i < 2 * ways_to_stall ? i % ways_to_stall : series.way;
    const watch_run run = stall_first(of, at, length_ms(runs_.random()), way, false);
    const std::vector<delayed_visit> delayed = delayed_visits(run.found.events);
    if (delayed.empty()) continue;
    ++found.at(way);
    series.points.push_back(delayed.front().point);
    series.threads.insert(delayed.front().thread);
  }
  return series;
}

// Runs of their own: to be asked for its stack a thread gets a signal, which a system call may return for.
mechanism causes::find_mechanism(target& of, const meeting& at, const delay_series& series) {
  std::vector<mechanism> waiting;
  for (unsigned i = 0; i < most_mechanism_runs && waiting.size() < mechanism_samples && runs_.has_time(1);
       ++i) {
    runs_.tell(
        fmt::format("{}: what does the other thread wait in, run {}", at_line(of.out.sites.front()), i + 1));
    const watch_run run = stall_first(of, at, series.longest_ms, series.way, true);
    const std::vector<delayed_visit> delayed = delayed_visits(run.found.events);
    const std::set<unsigned> threads =
        delayed.empty() ? series.threads : std::set<unsigned>{delayed.front().thread};
    for (const bystanders& others : run.found.others)
      for (const thread_stack& each : others.threads)
        if (threads.contains(each.thread) && each.thread != others.stalled.thread)
          waiting.push_back(
              mechanism_of(runs_.names().frames(each.stack), runs_.modules().path(0),
                           [&](const stacks::frame& caller) { return runs_.names().called_by(caller); }));
  }
  mechanism by = common_mechanism(waiting);
  // Code that polls a flag which itself is raced for is no lock.
  if (by.cause == "asm-lock" && is_raced_in(by.detail)) by.what = sight::racy;
  return by;
}

std::optional<mechanism> causes::measure_delay(target& of, const meeting& at) {
  const delay_series series = measure_series(of, at);
  const auto line = fit(series.points);
  if (!line || of.caught) return std::nullopt;
  party first;
  first.pc = at.first.pc;
  of.out.why.push_back(
      {"delay",
       fmt::format("in {} the thread at {} was stalled for up to {:.0f} ms; the other one came later by "
                   "{:.3f} of that time "
                   "(95 %: {:.3f} to {:.3f}), so {}",
                   plural(series.points.size(), "run"), at_line(site_of(first, runs_.names())),
                   series.longest_ms, line->slope, line->low, line->high, what_follows_from(*line)),
       series.points});
  if (!line->waits()) return std::nullopt;
  mechanism by = find_mechanism(of, at, series);
  if (by.what != sight::unknown)
    of.add_evidence("mechanism",
                    fmt::format("meanwhile the other thread stood in {}, which ThreadSanitizer {}", by.detail,
                                by.what == sight::seen ? "sees" : "can't see"));
  return by;
}

void causes::conclude(target& of) {
  judged_report& out = of.out;
  if (!of.is_race()) {
    out.reason =
        of.is_by_one_thread
            ? "One thread made both accesses: it is no race, and no order between threads excuses it."
            : "It is no race of two accesses: nothing is said of this kind of report.";
    of.add_evidence("not-judged", out.reason);
    return;
  }
  const bool weak = vanishes(of, stronger_atomics);
  std::optional<mechanism> waits;
  if (!weak && of.reached()) waits = measure_delays(of);
  if (of.caught) return;
  const bool racy_wait = waits && waits->what == sight::racy;
  const bool hidden_wait = waits && waits->what == sight::hidden;
  // What a library does on behalf of raced code is left out by that option, too: it says little where something was caught.
  const bool library =
      !weak && !racy_wait && !any_caught() && touches_library(of) && vanishes(of, without_libraries);
  const std::string runs = plural(out.trials, "run");
  if (weak) {
    out.what = verdict::ordering_only;
    const bool known = is_in_atomic_shared_ptr(of);
    if (known) out.cause = "libstdcxx-atomic-shared-ptr";
    out.reason = fmt::format(
        "Never caught in {}, and not reported once every atomic is sequentially consistent: the order hangs "
        "on {}. x86-64 "
        "keeps the order, a weaker machine (ARM, POWER) need not.",
        runs,
        known ? "libstdc++'s atomic<shared_ptr>, whose load() unlocks relaxed"
              : "an atomic that is too weak, or on a fence, which ThreadSanitizer does not model");
  } else if (racy_wait) {
    out.what = verdict::ordering_only;
    out.reason = fmt::format(
        "Never caught in {}: one thread waits for the other by reading plain memory, which is a race "
        "itself and orders nothing on a weaker machine.",
        runs);
  } else if (hidden_wait) {
    out.what = verdict::likely_false;
    out.cause = waits->cause;
    out.reason = fmt::format(
        "Never caught in {}, and one thread waits for the other by what ThreadSanitizer can't see: {} "
        "({}).",
        runs, waits->cause, waits->detail);
  } else if (library) {
    out.what = verdict::likely_false;
    out.cause = "uninstrumented-library";
    out.reason = fmt::format(
        "Never caught in {}, and not reported once what libraries that are not instrumented do is left "
        "out.",
        runs);
  }
  if (!of.open()) add_not_caught(of);
}

void causes::leave_open(target& of) {
  if (!of.is_race()) return;
  add_not_caught(of);
  of.out.reason = fmt::format(
      "Not caught in {}, and nothing was found that orders the two: that does not mean that the report is "
      "false.",
      plural(of.out.trials, "run"));
}

}  // namespace racelab::verdict
