// Decides whether operations on one key of a map are linearizable: whether each can have happened at one moment between
// its invocation and its response, so that all results are those of a map that is used by one thread.
//
// J. Wing, C. Gong: Testing and verifying concurrent objects, JPDC 17 (1993): try the orders that real time allows.
// G. Lowe: Testing for linearizability, CCPE 29 (2017): never try a configuration (which operations are done, and the
// state that they led to) twice. M. Herlihy, J. Wing: Linearizability, TOPLAS 12 (1990), and A. Horn, D. Kroening:
// Faster linearizability checking via P-compositionality, FORTE 2015: keys can be checked one by one.
//
// Where every operation that has begun has returned, the history is cut: what comes before precedes what comes after in
// any order. Only the states that the first part can have ended in are carried over. That keeps the searches short, and
// a counter-example too.
#pragma once

#include <algorithm>
#include <compare>
#include <cstddef>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "tests/linear/history.hpp"

namespace racelab::linear {

/// What a key holds; nothing if it is not there.
using state = std::optional<value>;

/// The sequential specification: false if `what` can't have its results in state `holds`, else `holds` is what it
/// leaves behind.
[[nodiscard]] inline bool take_effect(const operation& what, state& holds) {
  switch (what.what) {
    case kind::find:
    case kind::for_each:
      return what.found == holds;
    case kind::insert:
      if (what.done == holds.has_value()) return false;
      if (what.done) holds = what.argument;
      return true;
    case kind::insert_or_assign:
      holds = what.argument;
      return true;
    case kind::erase:
      return what.found == std::exchange(holds, std::nullopt);
    case kind::erase_if_equal:
      if (what.done != (holds == what.argument)) return false;
      if (what.done) holds.reset();
      return true;
    case kind::clear:
      holds.reset();
      return true;
  }
  return false;
}

/// Leaves any state in which it can have its results as it is. By the results, not the kind: an erase() that found
/// nothing is one of these, a clear() is not, even where there is nothing to remove.
[[nodiscard]] inline bool changes_nothing(const operation& what) {
  return what.what == kind::find || what.what == kind::for_each ||
         ((what.what == kind::insert || what.what == kind::erase_if_equal) && !what.done) ||
         (what.what == kind::erase && !what.found);
}

/// A part of a history that has no legal order, from any of the states that the key can have had before it.
struct counter_example {
  std::set<state> before;
  std::vector<operation> operations;  // by invocation; pending: had not returned when it was clear already
};

namespace detail {

struct configuration {
  std::vector<bool> done;  // by the operations' places
  state holds;
  auto operator<=>(const configuration&) const = default;
};

/// The states in which a legal order of `operations` (sorted by invocation) can end; empty if there is none. A pending
/// operation may have happened or not.
inline std::set<state> end_states(std::span<const operation> operations, const std::set<state>& before) {
  std::set<state> ends;
  std::set<configuration> tried;
  std::vector<configuration> todo;
  for (const auto& start : before) todo.push_back({std::vector<bool>(operations.size()), start});
  while (!todo.empty()) {
    const configuration now = std::move(todo.back());
    todo.pop_back();
    std::vector<configuration> successors;
    time_point first_return = pending;  // nobody who was invoked after it can be next
    for (std::size_t i = 0; i < operations.size() && operations[i].invoked < first_return; ++i) {
      if (now.done[i]) continue;
      first_return = std::min(first_return, operations[i].returned);
      configuration next = now;
      if (!take_effect(operations[i], next.holds)) continue;
      next.done[i] = true;
      // What changes nothing can be next at once: every order that goes on from here also does with it in front.
      const bool only_one = changes_nothing(operations[i]) && operations[i].returned != pending;
      if (only_one) successors.clear();
      successors.push_back(std::move(next));
      if (only_one) break;
    }
    if (first_return == pending) ends.insert(now.holds);
    for (auto& next : successors)
      if (tried.insert(next).second) todo.push_back(std::move(next));
  }
  return ends;
}

/// The first part between two cuts that has no legal order.
inline std::optional<counter_example> first_broken_part(std::span<const operation> operations,
                                                        std::set<state> before) {
  for (std::size_t first = 0; first < operations.size();) {
    std::size_t end = first;
    time_point last_return = operations[first].returned;
    for (; end < operations.size() && operations[end].invoked < last_return; ++end)
      last_return = std::max(last_return, operations[end].returned);
    const auto part = operations.subspan(first, end - first);
    auto ends = end_states(part, before);
    if (ends.empty()) return counter_example{std::move(before), {part.begin(), part.end()}};
    before = std::move(ends);
    first = end;
  }
  return std::nullopt;
}

/// What was known at `time`: operations that return later are pending.
inline std::vector<operation> known_at(time_point time, std::span<const operation> operations) {
  std::vector<operation> known;
  for (operation each : operations) {
    if (each.invoked > time) break;
    if (each.returned > time) each.returned = pending;
    known.push_back(each);
  }
  return known;
}

inline std::vector<operation> without(std::size_t place, std::vector<operation> operations) {
  operations.erase(operations.begin() + static_cast<std::ptrdiff_t>(place));
  return operations;
}

/// Ends at the first response that could not be explained, and leaves out, one by one, what changed nothing and is not
/// needed. Both are sound: a legal order of the whole would hold one of what is left.
inline counter_example minimal(counter_example found) {
  std::set<time_point> returns;
  for (const auto& each : found.operations) returns.insert(each.returned);
  for (const auto time : returns)
    if (auto shorter = first_broken_part(known_at(time, found.operations), found.before)) {
      found = std::move(*shorter);
      break;
    }
  for (std::size_t i = 0; i < found.operations.size();) {
    auto smaller = changes_nothing(found.operations[i])
                       ? first_broken_part(without(i, found.operations), found.before)
                       : std::nullopt;
    i = smaller ? 0 : i + 1;
    if (smaller) found = std::move(*smaller);
  }
  return found;
}

}  // namespace detail

/// Operations on one key that is not there at first, in any order of the list. Nothing if they are linearizable.
[[nodiscard]] inline std::optional<counter_example> check_key(std::vector<operation> operations) {
  std::ranges::sort(operations, {}, &operation::invoked);
  auto found = detail::first_broken_part(operations, {std::nullopt});
  if (found) return detail::minimal(std::move(*found));
  return std::nullopt;
}

}  // namespace racelab::linear
