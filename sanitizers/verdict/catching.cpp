#include "sanitizers/verdict/catching.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <set>
#include <utility>

#include "sanitizers/thread/sites.hpp"
#include "sanitizers/verdict/matching.hpp"
#include "sanitizers/watchpoint/plan.hpp"

namespace racelab::verdict {
namespace {

constexpr std::array<unsigned, 4> stall_us{1'000, 5'000, 20'000, 100'000};
constexpr unsigned attempts_of_a_length = 6;
constexpr unsigned stalled_us_in_a_run = 300'000;  // at most, by one rule
constexpr double shortest_meeting_ms = 20;
constexpr double unhurried_ms = 200;  // of a longer gap, which a sleep makes, no more than is needed
constexpr double longest_meeting_ms = 5'000;
constexpr unsigned hurried_attempts = 12;

// Others are slowed down while somebody is stalled, for each of their accesses is looked at: what lay between the two visits may
// take ten times as long, where that was work and no sleep.
double stall_for(const meeting& chosen, bool patiently) {
  const double gap = chosen.gap_ms();
  return std::clamp(std::min((patiently ? 40 : 4) * gap, unhurried_ms + 1.1 * gap), shortest_meeting_ms,
                    longest_meeting_ms);
}

// Both visits: which one comes first differs from run to run, and whichever does waits for the other.
void aim_at_meeting(watch_request& request, const meeting& chosen, bool patiently, const runner& runs) {
  const double ms = stall_for(chosen, patiently);
  for (const event& each : {chosen.first, chosen.second}) {
    if (each.atomic) continue;  // those are never stalled
    request.plan.push_back(runs.stall(each.pc, static_cast<unsigned>(ms * 1000),
                                      fmt::format("thread={} visit={} until=hit", each.thread, each.visit)));
  }
}

void aim_at_sides(watch_request& request, const target& of, unsigned turn, const runner& runs) {
  enum { first_side, second_side, both_where_threads_meet };
  const unsigned kind = turn % 3;
  const std::size_t length = std::min<std::size_t>(turn / attempts_of_a_length, stall_us.size() - 1);
  const unsigned microseconds = stall_us.at(length);
  const std::string conditions =
      fmt::format("{}{}limit={} until=hit", kind == both_where_threads_meet ? "shared=1 " : "",
                  turn < 3 ? "" : "chance=50 ", std::max(2U, stalled_us_in_a_run / microseconds));
  for (unsigned side = 0; side < 2; ++side) {
    if (kind != both_where_threads_meet && side != kind) continue;
    for (const place& each : of.sites.at(side))
      request.plan.push_back(runs.stall(each, microseconds, conditions));
  }
}

// A run has room for a million events: what is visited too often leaves none for the rest.
std::set<place> seldom_visited(const std::vector<event>& events, const std::set<place>& sites) {
  constexpr unsigned too_often = 10'000;
  std::map<place, unsigned> visits;
  for (const event& each : events) ++visits[each.pc];
  std::set<place> seldom = sites;
  for (const auto& [at, count] : visits)
    if (count >= too_often) seldom.erase(at);
  return seldom;
}

// A library's own accesses are many, and most of them are its business.
bool is_of_a_library(const place& at, place_names& names) {
  const std::vector<stacks::frame>& chain = names.at(at);
  return !chain.empty() && tsan::is_library_frame(report_frame(chain.front()));
}

std::vector<event> observe(const std::set<place>& sites, target_list& all, runner& runs) {
  runs.tell("who comes to the same bytes");
  watch_request request;
  runs.observe(request, sites);
  return all.watch(request).found.events;
}

// Where the same thread always comes first, the two may never meet unless it is held up.
bool goes_another_way(const target& of, unsigned turn) {
  if (of.meetings.empty()) return turn >= 4 && turn % 2 == 1;
  return turn % 8 == 6;
}

}  // namespace

// Visits are numbered anew in each run, so only the latest run counts; but no run with delays where they meet without.
void learn(target& of, const std::vector<std::string>& plan, const std::vector<event>& events) {
  const bool by_delays = !entry_delays_in(plan).empty();
  if (by_delays && !of.meetings.empty() && !of.meets_by_delays) return;
  std::vector<meeting> found = meetings_of(events, of.sites[0], of.sites[1]);
  if (found.empty()) return;
  of.meetings = std::move(found);
  of.meets_by_delays = by_delays;
}

std::vector<std::string> entry_delays_in(const std::vector<std::string>& plan) {
  std::vector<std::string> delays;
  std::ranges::copy_if(plan, std::back_inserter(delays),
                       [](const std::string& line) { return line.starts_with("enter "); });
  return delays;
}

watch_request aimed_request(target& of, runner& runs) {
  const unsigned turn = of.attempts++;
  watch_request request;
  const bool at_meeting = turn % 2 == 1 && !of.meetings.empty();
  if (at_meeting)
    aim_at_meeting(request, of.meetings[turn / 2 % of.meetings.size()], turn >= hurried_attempts, runs);
  else
    aim_at_sides(request, of, turn, runs);
  if (at_meeting ? of.meets_by_delays : goes_another_way(of, turn)) runner::delay_entries(request);
  runs.observe(request, of.both_sites());
  return request;
}

void attempt(target& of, target_list& all, runner& runs) {
  runs.tell(fmt::format("{}: aimed run {}", at_line(of.out.sites.front()), of.attempts + 1));
  const watch_request request = aimed_request(of, runs);
  const watch_run run = all.watch(request);
  ++of.out.trials;
  learn(of, request.plan, run.found.events);
}

void look_for_other_side(target& of, target_list& all, runner& runs) {
  constexpr unsigned most = 24;
  of.attempts = 0;
  while (of.attempts < most && !of.caught->came && runs.has_time(1)) attempt(of, all, runs);
}

void attempt_unaimed(target_list& all, runner& runs) {
  runs.tell("unaimed run");
  watch_request request;
  request.built_in_policy = true;
  if (runs.watch_runs() % 2 == 1) runner::delay_entries(request);
  const watch_run run = runs.watch(request);
  for (std::size_t i = 0; i < all.size(); ++i)
    if (all.at(i).open()) ++all.at(i).out.trials;
  all.take_caught(run.found, {});
}

void attempt_conflicts(target_list& all, runner& runs, double part) {
  constexpr std::size_t most_pairs = 32;
  constexpr std::size_t most_meetings = 4096;
  std::set<place> sites;
  for (const bool of_a_library : {false, true})
    for (const visited_site& each : runs.sites())
      if (sites.size() < watch::plan::most_sites && is_of_a_library(each.pc, runs.names()) == of_a_library)
        sites.insert(each.pc);
  if (sites.empty()) return;
  std::vector<event> events = observe(sites, all, runs);
  if (const std::set<place> seldom = seldom_visited(events, sites); seldom.size() != sites.size()) {
    if (seldom.empty() || !runs.has_time(part)) return;
    sites = seldom;
    events = observe(sites, all, runs);
  }
  std::set<std::pair<place, place>> tried;
  for (const meeting& each : meetings_of(events, sites, sites, most_meetings)) {
    const auto [one, other] = std::minmax(each.first.pc, each.second.pc);
    if (tried.size() == most_pairs || !tried.emplace(one, other).second) continue;
    for (const bool patiently : {false, true}) {
      if (!runs.has_time(part)) return;
      runs.tell(fmt::format("aimed at what met, {} of {}", tried.size(), most_pairs));
      watch_request request;
      aim_at_meeting(request, each, patiently, runs);
      runs.observe(request, {one, other});
      if (!all.watch(request).found.caught.empty()) break;
    }
  }
}

void observe_meetings(target& of, target_list& all, runner& runs, bool delays) {
  watch_request request;
  if (delays) runner::delay_entries(request);
  runs.observe(request, of.both_sites());
  learn(of, request.plan, all.watch(request).found.events);
}

}  // namespace racelab::verdict
