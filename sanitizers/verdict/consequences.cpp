#include "sanitizers/verdict/consequences.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sanitizers/verdict/catching.hpp"
#include "sanitizers/verdict/matching.hpp"
#include "sanitizers/verdict/unseen.hpp"
#include "stacks/text.hpp"

namespace racelab::verdict {
namespace {

using stacks::plural;

constexpr unsigned replays = 5;
constexpr unsigned forced_runs = 5;  // in each order

std::string access_text(const party& at) {
  if (at.access == touch::free)
    return fmt::format("free of {} at {:#x}", plural(at.size, "byte"), at.address);
  return fmt::format("{}{} of {} at {:#x}", at.atomic ? "atomic " : "", name(at.access),
                     plural(at.size, "byte"), at.address);
}

// Without the frames in which this runtime stalled or caught it.
caught_side shown(const party& at, std::string title, place_names& names) {
  std::vector<stacks::frame> frames = names.frames(at.stack);
  frames.erase(frames.begin(), std::ranges::find_if_not(frames, stacks::is_runtime_frame));
  return {.title = std::move(title), .frames = std::move(frames), .created_by = names.frames(at.created_by)};
}

recipe recipe_for(const caught_pair& pair, place_names& names) {
  recipe wanted;
  wanted.catches = pair.came ? catch_kind::pair : catch_kind::change;
  wanted.sites.push_back(site_of(pair.stalled, names));
  if (pair.came) wanted.sites.push_back(site_of(*pair.came, names));
  return wanted;
}

// The visits that were caught, where a run's events tell them.
struct caught_visits {
  event stalled;
  event came;

  // Long enough for the other thread to come again: it may have slept meanwhile.
  [[nodiscard]] unsigned patience_us(unsigned least) const noexcept {
    return std::max(least, 200'000 + static_cast<unsigned>((came.time_ns - stalled.time_ns) / 1000 * 3 / 2));
  }
};

std::optional<caught_visits> visits_of(const caught_pair& pair, const std::vector<event>& events) {
  if (!pair.came) return std::nullopt;
  const auto is_at = [](const event& each, event::kind what, const party& at) {
    return each.what == what && each.pc == at.pc && each.thread == at.thread && each.address == at.address;
  };
  // The thread may have been stalled there before, when nobody came.
  std::optional<event> stalled;
  for (const event& each : events) {
    if (is_at(each, event::kind::stall_began, pair.stalled)) stalled = each;
    if (stalled && is_at(each, event::kind::hit, *pair.came))
      return caught_visits{.stalled = *stalled, .came = each};
  }
  return std::nullopt;
}

std::string exactly(const event& visit) {
  return fmt::format("thread={} visit={}", visit.thread, visit.visit);
}

// Without what only observes.
std::vector<std::string> acting_lines_of(const std::vector<std::string>& plan) {
  std::vector<std::string> lines;
  std::ranges::copy_if(plan, std::back_inserter(lines),
                       [](const std::string& line) { return !line.starts_with("observe "); });
  return lines;
}

std::vector<std::string> joined(std::vector<std::string> lines, const std::vector<std::string>& more) {
  lines.insert(lines.end(), more.begin(), more.end());
  return lines;
}

// Where the runtime's own policy has caught it, no plan is known yet: aimed runs until one catches it, too.
void catch_by_plan(target& of, runner& runs) {
  constexpr unsigned most = 24;
  const recipe wanted = recipe_for(*of.caught, runs.names());
  of.attempts = 0;
  for (unsigned i = 0; i < most && of.caught_by.empty() && runs.has_time(1); ++i) {
    runs.tell(fmt::format("{}: a plan that catches it", at_line(of.out.sites.front())));
    const watch_request request = aimed_request(of, runs);
    const watch_run run = runs.watch(request);
    learn(of, request.plan, run.found.events);
    for (const caught_pair& each : run.found.caught) {
      if (!is_caught(wanted, each, runs.names())) continue;
      of.caught = each;
      of.caught_by = request.plan;
      of.caught_events = run.found.events;
      break;
    }
  }
}

// For each order, the plan that stalls the one access until the other one was made, and for a while after.
std::vector<std::vector<std::string>> orders_of(const target& of, const runner& runs) {
  const std::string until_past = " until=hit linger=3000";
  const party& stalled = of.caught->stalled;
  const std::optional<party>& came = of.caught->came;
  std::vector<std::vector<std::string>> orders;
  if (const auto visits = visits_of(*of.caught, of.caught_events)) {
    for (const event& each : {visits->stalled, visits->came})
      if (!each.atomic)
        orders.push_back({runs.stall(each.pc, visits->patience_us(500'000), exactly(each) + until_past)});
  } else {
    orders.push_back({runs.stall(stalled.pc, 100'000, "limit=5" + until_past)});
    if (came && !came->atomic && came->pc != stalled.pc)
      orders.push_back({runs.stall(came->pc, 100'000, "limit=5" + until_past)});
  }
  for (std::vector<std::string>& each : orders) each = joined(std::move(each), entry_delays_in(of.caught_by));
  return orders;
}

bool has_value(const party& at) { return at.access != touch::free && at.size <= 8; }

// The value under the stalled thread's access when another one met it, and once that one had made its own; where the run's
// events tell it.
std::optional<std::string> values_of(const caught_pair& pair, const std::vector<event>& events) {
  if (!pair.came) return std::nullopt;
  const auto is_here = [&](const event& each, event::kind what) {
    return each.what == what && each.pc == pair.stalled.pc;
  };
  const event* began = nullptr;
  bool met = false;
  for (const event& each : events) {
    if (is_here(each, event::kind::stall_began)) {
      began = &each;
      met = false;
    }
    met = met || (began != nullptr && each.what == event::kind::hit && each.pc == pair.came->pc &&
                  each.thread != began->thread);
    if (met && is_here(each, event::kind::stall_ended) && each.thread == began->thread)
      return fmt::format("{:#x} when they met, {:#x} after the other thread's {}", began->value, each.value,
                         name(pair.came->access));
  }
  return std::nullopt;
}

// The line `corrupt: …` of a program that checks itself.
std::optional<std::string> broken_invariant_in(std::string_view output) {
  constexpr std::string_view word = "corrupt: ";
  for (std::size_t at = output.find(word); at != std::string_view::npos; at = output.find(word, at + 1))
    if (at == 0 || output[at - 1] == '\n') return std::string(output.substr(at, output.find('\n', at) - at));
  return std::nullopt;
}

}  // namespace

bool is_caught(const recipe& wanted, const caught_pair& pair, place_names& names) {
  const recipe such = recipe_for(pair, names);
  return such.catches == wanted.catches && same_places(such.sites, wanted.sites);
}

void describe_catch(target& of, runner& runs) {
  const caught_pair& pair = *of.caught;
  judged_report& out = of.out;
  out.what = verdict::confirmed;
  out.caught.push_back(
      shown(pair.stalled,
            fmt::format("thread {}, stopped before its {}", pair.stalled.thread, access_text(pair.stalled)),
            runs.names()));
  if (pair.came) {
    out.caught.push_back(
        shown(*pair.came, fmt::format("thread {}, at its {}", pair.came->thread, access_text(*pair.came)),
              runs.names()));
    if (has_value(pair.stalled)) out.value = fmt::format("{:#x} when they met", pair.value_before);
    out.reason = fmt::format(
        "Both threads were caught at the same bytes at the same time, so nothing orders {} and {}.",
        at_line(out.sites.front()), at_line(out.sites.back()));
    of.add_evidence("caught", fmt::format("thread {} stood before its {} when thread {} came with its {}",
                                          pair.stalled.thread, access_text(pair.stalled), pair.came->thread,
                                          access_text(*pair.came)));
  } else {
    out.value = fmt::format("{:#x} before, {:#x} after", pair.value_before, pair.value_after);
    const unseen_writer writer = find_writer(of, runs);
    const std::string here = at_line(site_of(pair.stalled, runs.names()));
    if (writer.is_a_race()) {
      out.reason = fmt::format("The value at {} changed while its thread stood before the access: {}.", here,
                               text_of(writer));
    } else {
      out.what = verdict::unconfirmed;
      out.caught.clear();
      out.reason = fmt::format(
          "The value at {} changed while its thread stood before the access, which is no proof of a race: "
          "{}.",
          here, text_of(writer));
    }
    of.add_evidence("changed", fmt::format("{}, while thread {} stood before its {}", out.value,
                                           pair.stalled.thread, access_text(pair.stalled)));
    of.add_evidence("unseen-writer", text_of(writer));
  }
}

bool is_caught(const recipe& wanted, const deadlock& cycle, place_names& names) {
  return wanted.catches == catch_kind::deadlock && same_places(sites_of(cycle, names), wanted.sites);
}

bool is_caught(const recipe& wanted, const evidence& found, place_names& names) {
  if (std::ranges::any_of(found.deadlocks,
                          [&](const deadlock& each) { return is_caught(wanted, each, names); }))
    return true;
  return std::ranges::any_of(found.caught,
                             [&](const caught_pair& each) { return is_caught(wanted, each, names); });
}

bool is_better(const recipe& a, const recipe& b) { return a.reproduced * b.trials > b.reproduced * a.trials; }

void try_out(recipe& tried, const judged_report& of, runner& runs) {
  tried.timeout = runs.timeout();
  tried.marks_heap = runs.marks_heap();
  while (tried.trials < replays && (tried.trials == 0 || runs.has_time(1)) && !runs.stopped()) {
    runs.tell(fmt::format("{}: a recipe for the catch", at_line(of.sites.front())));
    watch_request request;
    request.plan = tried.plan;
    request.options = tried.options;
    const watch_run run = runs.watch(request);
    if (runs.stopped()) break;
    ++tried.trials;
    if (is_caught(tried, run.found, runs.names())) ++tried.reproduced;
    if (tried.reproduced == 0 && tried.trials == 2) break;
  }
}

void find_recipe(target& of, runner& runs) {
  if (of.caught_by.empty() && of.caught->came) catch_by_plan(of, runs);
  const party stalled = of.caught->stalled;
  std::vector<std::vector<std::string>> plans;
  // The very visits are quickest, where threads and visits come in the same order every time. Which of the two comes first
  // differs, and whichever does waits for the other.
  if (const auto visits = visits_of(*of.caught, of.caught_events)) {
    plans.emplace_back();
    for (const event& each : {visits->stalled, visits->came})
      if (!each.atomic)
        plans.back().push_back(
            runs.stall(each.pc, visits->patience_us(1'000'000), exactly(each) + " until=hit"));
    if (const auto delays = entry_delays_in(of.caught_by); !delays.empty())
      plans.push_back(joined(plans.back(), delays));
  }
  if (!of.caught_by.empty()) plans.push_back(acting_lines_of(of.caught_by));
  if (!of.caught->came) std::ranges::move(plans_for_a_change(of, runs, ""), std::back_inserter(plans));
  plans.push_back({runs.stall(stalled.pc, 100'000, "limit=20 until=hit")});

  std::optional<recipe> best;
  for (const std::vector<std::string>& plan : plans) {
    recipe tried = recipe_for(*of.caught, runs.names());
    tried.plan = fitting_plan(plan);
    try_out(tried, of.out, runs);
    if (!best || is_better(tried, *best)) best = tried;
    if ((best->trials >= replays && best->reproduced == best->trials) || !runs.has_time(1)) break;
  }
  if (best && best->reproduced != 0) of.out.again = best;
}

std::pair<consequence, std::string> compare(const ending& now, const std::vector<ending>& undisturbed) {
  const auto known = [&](auto same) { return std::ranges::any_of(undisturbed, same); };
  if (now.timed_out) {
    if (known([](const ending& each) { return each.timed_out; }))
      return {consequence::none_seen, "as undisturbed"};
    return {consequence::hang, fmt::format("no end within {:.1f} s", now.milliseconds / 1000)};
  }
  if (now.signal != 0) {
    if (known([&](const ending& each) { return each.signal == now.signal; }))
      return {consequence::none_seen, "as undisturbed"};
    return {consequence::crash, fmt::format("signal {}", now.signal)};
  }
  if (!known([&](const ending& each) { return each.exit_code == now.exit_code && each.signal == 0; })) {
    if (auto line = broken_invariant_in(now.output)) return {consequence::broken_invariant, *line};
    if (auto line = broken_invariant_in(now.errors)) return {consequence::broken_invariant, *line};
    return {consequence::other_exit, fmt::format("{} instead of {}", now.text(),
                                                 undisturbed.empty() ? "?" : undisturbed.front().text())};
  }
  // Only where the program says the same every time.
  const bool steady = undisturbed.size() > 1 && std::ranges::all_of(undisturbed, [&](const ending& each) {
                        return each.output == undisturbed.front().output;
                      });
  if (steady && now.output != undisturbed.front().output)
    return {consequence::other_output, "another output than undisturbed"};
  return {consequence::none_seen, "as undisturbed"};
}

void force_orders(target& of, runner& runs) {
  const std::vector<std::vector<std::string>> orders = orders_of(of, runs);
  std::map<consequence, std::pair<unsigned, std::string>> seen;  // how often, and how the first time
  unsigned count = 0;
  for (const std::vector<std::string>& plan : orders) {
    for (unsigned i = 0; i < forced_runs && (i == 0 || runs.has_time(1)) && !runs.stopped(); ++i) {
      runs.tell(fmt::format("{}: what it does", at_line(of.out.sites.front())));
      watch_request request;
      request.plan = plan;
      request.wants_events = true;
      const watch_run run = runs.watch(request);
      if (runs.stopped()) break;  // it did not end by itself
      ++count;
      if (has_value(of.caught->stalled))
        of.out.value = values_of(*of.caught, run.found.events).value_or(of.out.value);
      auto [what, detail] = compare(run.end, runs.undisturbed());
      if (what == consequence::crash && of.out.crash.empty()) of.out.crash = run.end.errors;
      const auto [at, fresh] = seen.try_emplace(what, 0, std::move(detail));
      ++at->second.first;
    }
  }
  if (seen.empty()) return;
  const auto& [worst, how] = *seen.begin();  // in the order of their weight
  of.out.harm = worst;
  of.out.harm_detail =
      worst == consequence::none_seen
          ? fmt::format("none seen in {}, {}", plural(count, "forced run"),
                        orders.size() == 2 ? "in both orders" : "in one order")
          : fmt::format("{}, in {} of {}", how.second, how.first, plural(count, "forced run"));
  of.add_evidence("forced-runs", of.out.harm_detail);
}

}  // namespace racelab::verdict
