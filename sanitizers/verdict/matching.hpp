// Matching: which sites of the watched program a report's access stands at, and which report a caught pair is.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "sanitizers/thread/report.hpp"
#include "sanitizers/verdict/evidence.hpp"
#include "sanitizers/verdict/places.hpp"
#include "sanitizers/verdict/verdict.hpp"

namespace racelab::verdict {

/// One party of a report, as the reports of both runtimes tell it.
struct report_side {
  std::vector<tsan::frame> frames;  // innermost first, from the first that has a source line on
  std::vector<tsan::frame>
      inner;  // what that one called: functions of a library, or the runtime's in their place
  touch access = touch::read;
  bool atomic = false;
  std::uint64_t size = 0;
};

/// Gives frames that have a module and an offset only (as a program under symbolize=0 prints them) functions and lines,
/// inlined calls as frames of their own.
void symbolise(tsan::report& report, module_table& modules, place_names& names);

/// One thread made both accesses, as it does when it uses what it has freed: that is no race.
[[nodiscard]] bool is_by_one_thread(const tsan::report& report);

/// The two accesses of a race, or nothing for a report that is none.
[[nodiscard]] std::vector<report_side> sides_of(const tsan::report& report);

/// True for a report on two accesses to the same bytes.
[[nodiscard]] bool is_race(tsan::report_kind kind) noexcept;

/// Those of `visited` at which `side` stands: same function, file and line, through the inlined calls as far as they agree;
/// of these the ones with the same kind of access if there are any.
[[nodiscard]] std::set<place> sites_of(const report_side& side, const std::vector<visited_site>& visited,
                                       place_names& names);

/// Where a party stands in the user's code.
[[nodiscard]] judged_site site_of(const report_side& side);
[[nodiscard]] judged_site site_of(const party& at, place_names& names);
/// Where a thread waits for a lock.
[[nodiscard]] judged_site site_of(const thread_stack& waiting, place_names& names);
/// Where each of them does.
[[nodiscard]] std::vector<judged_site> sites_of(const deadlock& cycle, place_names& names);

/// The same place: file name, line and function. What the access does is not compared.
[[nodiscard]] bool same_place(const judged_site& a, const judged_site& b);

/// The same two places, whichever comes first.
[[nodiscard]] bool same_pair(const std::vector<judged_site>& a, const std::vector<judged_site>& b);

/// As many places, and the same ones, in whatever order.
[[nodiscard]] bool same_places(const std::vector<judged_site>& a, const std::vector<judged_site>& b);

/// `kind` and both sites as text, sorted: what the same race has in common in all runs.
[[nodiscard]] std::string identity_of(std::string_view kind, const std::vector<judged_site>& sites);

/// As a frame of a report.
[[nodiscard]] tsan::frame report_frame(const stacks::frame& from);

}  // namespace racelab::verdict
