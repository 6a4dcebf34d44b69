// Consequences: how a caught race is caught again, and what it does.
#pragma once

#include "sanitizers/verdict/runner.hpp"
#include "sanitizers/verdict/targets.hpp"

namespace racelab::verdict {

/// Says who was caught where. `of` is caught.
void describe_catch(target& of, runner& runs);

/// Tries plans, from the simplest on, and keeps the first that catches the pair, or the change, every time, otherwise the best.
/// `of` is caught.
void find_recipe(target& of, runner& runs);

/// Forces the two accesses into both orders and compares how the program ends with undisturbed runs.
void force_orders(target& of, runner& runs);

/// What `now` shows that no run in `undisturbed` does, and how in a few words.
[[nodiscard]] std::pair<consequence, std::string> compare(const ending& now,
                                                          const std::vector<ending>& undisturbed);

/// Catches more often.
[[nodiscard]] bool is_better(const recipe& a, const recipe& b);

/// Runs `tried` some times, and notes how often it catches what it is for. `of` is the report that it is for.
void try_out(recipe& tried, const judged_report& of, runner& runs);

/// True if this is what `wanted` catches.
[[nodiscard]] bool is_caught(const recipe& wanted, const caught_pair& pair, place_names& names);
[[nodiscard]] bool is_caught(const recipe& wanted, const deadlock& cycle, place_names& names);

/// True if what `wanted` catches is among what a run has caught.
[[nodiscard]] bool is_caught(const recipe& wanted, const evidence& found, place_names& names);

}  // namespace racelab::verdict
