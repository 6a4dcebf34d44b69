#include "sanitizers/verdict/catching.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace racelab::verdict {
namespace {

constexpr std::array<unsigned, 4> stall_us{1'000, 5'000, 20'000, 100'000};
constexpr unsigned attempts_of_a_length = 6;
constexpr unsigned stalled_us_in_a_run = 300'000;  // at most, by one rule
constexpr double shortest_meeting_ms = 20;
constexpr double unhurried_ms = 200;  // of a longer gap, which a sleep makes, no more than is needed
constexpr double longest_meeting_ms = 5'000;

double stall_for(const meeting& chosen) {
  const double gap = chosen.gap_ms();
  return std::clamp(std::min(4 * gap, unhurried_ms + 1.1 * gap), shortest_meeting_ms, longest_meeting_ms);
}

// Both visits: which one comes first differs from run to run, and whichever does waits for the other.
void aim_at_meeting(watch_request& request, const meeting& chosen, const runner& runs) {
  const double ms = stall_for(chosen);
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

}  // namespace

// Visits are numbered anew in each run, so only the latest run counts.
void learn(target& of, const std::vector<event>& events) {
  std::vector<meeting> found = meetings_of(events, of.sites[0], of.sites[1]);
  std::erase_if(found, [](const meeting& each) { return each.first.atomic; });
  if (!found.empty()) of.meetings = std::move(found);
}

watch_request aimed_request(target& of, runner& runs) {
  const unsigned turn = of.attempts++;
  watch_request request;
  if (turn % 2 == 1 && !of.meetings.empty())
    aim_at_meeting(request, of.meetings[turn / 2 % of.meetings.size()], runs);
  else
    aim_at_sides(request, of, turn, runs);
  runs.observe(request, of.both_sites());
  return request;
}

void attempt(target& of, target_list& all, runner& runs) {
  runs.tell(fmt::format("{}: aimed run {}", at_line(of.out.sites.front()), of.attempts + 1));
  const watch_request request = aimed_request(of, runs);
  const watch_run run = runs.watch(request);
  ++of.out.trials;
  learn(of, run.found.events);
  all.take_caught(run.found, request.plan);
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
  const watch_run run = runs.watch(request);
  for (std::size_t i = 0; i < all.size(); ++i)
    if (all.at(i).open()) ++all.at(i).out.trials;
  all.take_caught(run.found, request.plan);
}

void observe_meetings(target& of, target_list& all, runner& runs) {
  watch_request request;
  runs.observe(request, of.both_sites());
  const watch_run run = runs.watch(request);
  learn(of, run.found.events);
  all.take_caught(run.found, request.plan);
}

}  // namespace racelab::verdict
