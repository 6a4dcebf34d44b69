// The plan at work: what is observed and stalled because RACELAB_WATCH_PLAN says so.
#pragma once

#include "sanitizers/watchpoint/watchpoint.hpp"

namespace racelab::watch {

/// Reads the plan. A bad one, or one that can't be read, ends the process with exit status 2 and one line on stderr.
void read_plan(const char* path) noexcept;

/// Finds the plan's sites in the modules that are loaded now.
void find_planned_sites() noexcept;

/// The plan's sites ask for a look at each visit.
void keep_planned_sites_loud() noexcept;

/// If the plan names this site: notes the visit, and stalls if a rule says so. True if one has. `met`: this access has
/// come to the bytes of a stalled thread.
bool stall_by_rule(const access& what, bool met) noexcept;

}  // namespace racelab::watch
