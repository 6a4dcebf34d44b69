#include "sanitizers/verdict/waiting.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <numeric>
#include <random>
#include <string>
#include <utility>

#include "sanitizers/verdict/catching.hpp"
#include "stacks/text.hpp"

namespace racelab::verdict {
namespace {

using stacks::plural;

constexpr unsigned delay_points = 24;
constexpr unsigned most_delay_runs = 120;
constexpr double shortest_delay_ms = 20;  // the longest stall of a series, at least and at most
constexpr double longest_delay_ms = 80;
constexpr std::size_t most_series = 3;   // of one report
constexpr std::size_t most_at_once = 3;  // series whose sides are stalled in one run
constexpr std::size_t mechanism_samples = 4;
constexpr unsigned most_mechanism_runs = 8;
constexpr unsigned observing_runs = 8;  // all but the first with delays
// Parts of the budget: until then. Libraries are asked after it.
constexpr double for_delays = 0.88;
constexpr double for_mechanisms = 0.93;

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

// The stalls have to stand out from what else lies between the two accesses.
double longest_beside(double gap_ms) { return std::clamp(6 * gap_ms, shortest_delay_ms, longest_delay_ms); }

double median_gap_ms(const std::vector<delay_point>& points) {
  std::vector<double> gaps;
  for (const delay_point& each : points) gaps.push_back(std::abs(each.came_ms - each.stalled_ms));
  const auto middle = gaps.begin() + static_cast<std::ptrdiff_t>(gaps.size() / 2);
  std::ranges::nth_element(gaps, middle);
  return *middle;
}

// They hardly ever meet, or enough is known.
bool is_done(const wait_series& of) {
  return of.of->caught || of.of->is_held_up || of.points.size() >= delay_points ||
         of.runs() >= most_delay_runs || (of.runs() >= 6 * ways_to_stall && of.points.empty());
}

// The same thread comes first in most runs, and meets nobody.
bool needs_delays(const wait_series& of) {
  return of.runs() >= ways_to_stall && of.points.size() < of.runs() / 2;
}

bool wants_mechanism(const wait_series& of) {
  return !of.of->caught && !of.of->is_held_up && of.line && of.line->waits() &&
         of.waiting.size() < mechanism_samples && of.mechanism_runs < most_mechanism_runs;
}

std::string what_follows_from(const delay_line& line, const target& of) {
  if (line.waits()) return "it waits";
  if (of.is_held_up && line.seems_to_wait()) return "it seems to wait, as Archer says";
  if (line.points < delay_line::least_points)
    return fmt::format("there is no saying yet: {} runs are needed", delay_line::least_points);
  return "nothing says that it waits";
}

std::string first_line(const target& of) { return at_line(of.out.sites.front()); }

}  // namespace

unsigned wait_series::runs() const noexcept { return std::accumulate(tried.begin(), tried.end(), 0U); }

// What was tried less may still be better: one more point in one more run is taken for granted.
std::size_t wait_series::best_way() const noexcept {
  std::size_t best = 0;
  for (std::size_t way = 1; way < ways_to_stall; ++way)
    if ((found.at(way) + 1) * (tried.at(best) + 1) > (found.at(best) + 1) * (tried.at(way) + 1)) best = way;
  return best;
}

void waits::measure(const std::vector<target*>& open) {
  choose_series(open);
  measure_delays();
  for (wait_series& each : series_) each.line = fit(each.points);
  find_mechanisms();
  for (wait_series& each : series_) conclude(each);
}

// The first series of each report comes first: should the time be over, each was asked once.
void waits::choose_series(const std::vector<target*>& open) {
  std::array<std::vector<wait_series>, most_series> by_turn;
  for (target* of : open) {
    for (unsigned tries = 0; tries < observing_runs && of->meetings.empty() && runs_.has_time(for_delays);
         ++tries)
      observe_meetings(*of, all_, runs_, tries != 0);
    std::set<place> stalled;
    for (const meeting& each : of->meetings) {
      if (stalled.size() == most_series || of->caught) break;
      if (!stalled.insert(each.first.pc).second) continue;
      wait_series& fresh = by_turn.at(stalled.size() - 1).emplace_back();
      fresh.of = of;
      fresh.at = each;
      fresh.delays = of->meets_by_delays;
      fresh.longest_ms = longest_beside(each.gap_ms());
    }
  }
  for (std::vector<wait_series>& each : by_turn) std::ranges::move(each, std::back_inserter(series_));
}

// Stalls of other reports go along. Not two at one place: a run has one rule for each.
std::vector<wait_series*> waits::company_of(wait_series& leader) {
  std::vector<wait_series*> chosen{&leader};
  if (std::exchange(leader.alone, false)) return chosen;
  for (wait_series& each : series_) {
    if (chosen.size() == most_at_once) break;
    const bool taken = std::ranges::any_of(chosen, [&](const wait_series* one) {
      return one->at.first.pc == each.at.first.pc || one->of == each.of;
    });
    if (!taken && !is_done(each)) chosen.push_back(&each);
  }
  return chosen;
}

// Stalls the first of two accesses that meet, of each of the series, and looks who comes after it and when.
watch_run waits::stall(const std::vector<wait_series*>& chosen, std::size_t leaders_way, bool others) {
  watch_request request;
  if (std::ranges::any_of(chosen, &wait_series::delays)) runner::delay_entries(request);
  for (const wait_series* each : chosen) {
    std::uniform_real_distribution<double> length_ms(each->longest_ms / delay_points, each->longest_ms);
    const double ms = others ? each->longest_ms : length_ms(runs_.random());
    const std::size_t way = each == chosen.front() ? leaders_way : each->best_way();
    request.plan.push_back(runs_.stall(each->at.first.pc, static_cast<unsigned>(ms * 1000),
                                       visits_to_stall(way, each->at) +
                                           (each->at.first.atomic ? " atomics=1" : "") +
                                           (others ? " others=1" : "")));
  }
  for (const wait_series* each : chosen) runs_.observe(request, each->of->both_sites());
  for (const wait_series& each : series_)
    if (!each.of->caught) runs_.observe(request, each.of->both_sites());
  watch_run run = all_.watch(request);
  for (const wait_series* each : chosen) ++each->of->out.trials;
  return run;
}

// Of each run, the first stall that somebody came after counts. A stall tells something of every report with a side there.
void waits::take_points(const watch_run& run, const std::vector<wait_series*>& chosen,
                        std::size_t leaders_way) {
  for (wait_series& each : series_) {
    if (each.points.size() >= delay_points) continue;  // not the leader, then
    const std::vector<delayed_visit> delayed =
        delayed_visits(run.found.events, each.at.first.pc, each.of->both_sites());
    const bool leads = &each == chosen.front();
    if (leads) {
      ++each.tried.at(leaders_way);
      each.alone = delayed.empty() && chosen.size() > 1;
    }
    if (delayed.empty()) continue;
    if (leads) ++each.found.at(leaders_way);
    each.points.push_back(delayed.front().point);
    each.threads.insert(delayed.front().thread);
    each.longest_ms = std::max(each.longest_ms, longest_beside(median_gap_ms(each.points)));
    if (!each.of->is_ordered_by_openmp) continue;
    const std::optional<delay_line> line = fit(each.points);
    each.of->is_held_up = each.of->is_held_up || (line && line->seems_to_wait());
  }
}

void waits::measure_delays() {
  for (;;) {
    const auto leader = std::ranges::find_if_not(series_, is_done);
    if (leader == series_.end()) return;
    if (!runs_.has_time(for_delays)) {
      ran_out_ = true;
      return;
    }
    runs_.tell(
        fmt::format("{}: does the other thread wait, run {}", first_line(*leader->of), leader->runs() + 1));
    const std::size_t way = leader->best_way();
    const std::vector<wait_series*> chosen = company_of(*leader);
    leader->delays = leader->delays || needs_delays(*leader);
    const watch_run run = stall(chosen, way, false);
    take_points(run, chosen, way);
  }
}

void waits::take_mechanisms(const watch_run& run) {
  for (wait_series& each : series_) {
    if (each.waiting.size() >= mechanism_samples) continue;
    const std::vector<delayed_visit> delayed =
        delayed_visits(run.found.events, each.at.first.pc, each.of->both_sites());
    const std::set<unsigned> threads =
        delayed.empty() ? each.threads : std::set<unsigned>{delayed.front().thread};
    for (const bystanders& others : run.found.others) {
      if (others.stalled.pc != each.at.first.pc) continue;
      for (const thread_stack& other : others.threads)
        if (threads.contains(other.thread) && other.thread != others.stalled.thread)
          each.waiting.push_back(mechanism_at(other.stack));
    }
  }
}

mechanism waits::mechanism_at(const std::vector<place>& stack) {
  mechanism found =
      mechanism_of(runs_.names().frames(stack), runs_.modules().path(0),
                   [&](const stacks::frame& caller) { return runs_.names().called_by(caller); });
  if (found.what != sight::racy) return found;
  const auto polled = std::ranges::find_if(stack, [&](const place& each) {
    return std::ranges::find(runs_.sites(), each, &visited_site::pc) != runs_.sites().end();
  });
  if (polled == stack.end()) return found;
  const unseen_writer& writer = writer_of(*polled);
  // It was passing by on its way to what it polls, such as a library's queue.
  if (!writer.anybody) return {};
  if (!writer.is_assembly()) return found;
  const std::vector<stacks::frame> reader = runs_.names().frames({*polled});
  return {.what = sight::hidden,
          .cause = "asm-lock",
          .detail = reader.empty() ? "" : stacks::short_name(reader.front().function)};
}

// Asked once, by a few runs.
const unseen_writer& waits::writer_of(const place& read_at) {
  const auto [known, is_new] = polled_.try_emplace(read_at);
  if (is_new) known->second = find_writer(read_at, runs_);
  return known->second;
}

// Runs of their own: to be asked for its stack a thread gets a signal, and a call's time-out then begins anew.
void waits::find_mechanisms() {
  for (wait_series& each : series_) {
    while (wants_mechanism(each)) {
      if (!runs_.has_time(for_mechanisms)) {
        ran_out_ = true;
        return;
      }
      runs_.tell(fmt::format("{}: what does the other thread wait in, run {}", first_line(*each.of),
                             each.mechanism_runs + 1));
      ++each.mechanism_runs;
      take_mechanisms(stall({&each}, each.best_way(), true));
    }
  }
}

// Something was caught there.
bool waits::is_raced_in(std::string_view function) {
  for (std::size_t i = 0; i < all_.size(); ++i) {
    const target& each = all_.at(i);
    if (each.caught && std::ranges::any_of(each.out.sites, [&](const judged_site& site) {
          return site.function == function;
        }))
      return true;
  }
  return false;
}

void waits::conclude(wait_series& of) {
  if (!of.line || of.of->caught) return;
  const double longest_ms = std::ranges::max(of.points, {}, &delay_point::stalled_ms).stalled_ms;
  of.of->out.why.push_back(
      {"delay",
       fmt::format("in {} the thread at {} was stalled for up to {:.0f} ms; the other one came later by "
                   "{:.3f} of that time "
                   "(95 %: {:.3f} to {:.3f}), so {}",
                   plural(of.points.size(), "run"), at_line(of.at.first.pc, runs_.names()), longest_ms,
                   of.line->slope, of.line->low, of.line->high, what_follows_from(*of.line, *of.of)),
       of.points});
  if (!of.line->waits()) return;
  of.by = common_mechanism(of.waiting);
  // Code that polls a flag which itself is raced for is no lock.
  if (of.by.cause == "asm-lock" && is_raced_in(of.by.detail)) of.by.what = sight::racy;
  if (of.by.what != sight::unknown)
    of.of->add_evidence("mechanism",
                        fmt::format("meanwhile the other thread stood in {}, which ThreadSanitizer {}",
                                    of.by.detail, of.by.what == sight::seen ? "sees" : "can't see"));
}

std::optional<mechanism> waits::found_of(const target& of) const {
  std::vector<mechanism> found;
  for (const wait_series& each : series_)
    if (each.of == &of && each.line && each.line->waits()) found.push_back(each.by);
  if (found.empty()) return std::nullopt;
  return common_mechanism(found);
}

}  // namespace racelab::verdict
