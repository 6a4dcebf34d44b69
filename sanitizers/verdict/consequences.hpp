// Consequences: how a caught race is caught again, and what it does.
#pragma once

#include "sanitizers/verdict/runner.hpp"
#include "sanitizers/verdict/targets.hpp"

namespace racelab::verdict {

/// Says who was caught where. `of` is caught.
void describe_catch(target& of, runner& runs);

/// Tries plans, from the simplest on, and keeps the first that catches the pair every time, otherwise the best. `of` is
/// caught, and both sides were seen.
void find_recipe(target& of, runner& runs);

/// Forces the two accesses into both orders and compares how the program ends with undisturbed runs.
void force_orders(target& of, runner& runs);

/// What `now` shows that no run in `undisturbed` does, and how in a few words.
[[nodiscard]] std::pair<consequence, std::string> compare(const ending& now,
                                                          const std::vector<ending>& undisturbed);

/// True if the pair of `wanted` is among what a run has caught.
[[nodiscard]] bool is_caught(const recipe& wanted, const evidence& found, place_names& names);

}  // namespace racelab::verdict
