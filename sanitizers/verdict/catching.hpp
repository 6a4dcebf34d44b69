// Catching: runs in which one side of a report is stalled until the other one comes.
#pragma once

#include <string>
#include <vector>

#include "sanitizers/verdict/runner.hpp"
#include "sanitizers/verdict/targets.hpp"

namespace racelab::verdict {

/// The next run that is aimed at `of`, a race whose sites are reached. In turn: any visit of the one side is stalled, any of the other, both
/// where threads meet, and the very visits that met in an earlier run; the longer the more often it was tried.
[[nodiscard]] watch_request aimed_request(target& of, runner& runs);

/// Makes it.
void attempt(target& of, target_list& all, runner& runs);

/// Of a value that changed while nobody was seen: aimed runs until the other side is seen, too, for a bounded number of them.
void look_for_other_side(target& of, target_list& all, runner& runs);

/// Takes note of which visits met in a run of `plan`.
void learn(target& of, const std::vector<std::string>& plan, const std::vector<event>& events);

/// The plan's line `enter …`, if it has one.
[[nodiscard]] std::vector<std::string> entry_delays_in(const std::vector<std::string>& plan);

/// One run with the runtime's own policy.
void attempt_unaimed(target_list& all, runner& runs);

/// Where nothing was reported: which visits of two threads were at the same bytes in one run? What orders them may be luck, so
/// each two sites that met get a run with short stalls at these visits and one with long ones, until `part` of the budget is spent.
void attempt_conflicts(target_list& all, runner& runs, double part);

/// One run without stalls that looks which visits of the two sites meet; with delays at the functions' entries, if it is to go
/// another way than usual.
void observe_meetings(target& of, target_list& all, runner& runs, bool delays);

}  // namespace racelab::verdict
