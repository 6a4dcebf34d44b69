// Checks a whole history of a map: each key's operations (checker.hpp), and what the walks promise.
//
// The contract of for_each(): no key twice; a key that is there from the beginning to the end is visited; one that
// comes, changes or goes meanwhile may be visited or not, with any value that it had during the call. So for each key a
// walk is as good as a find() that takes as long: what it visited was there at some moment of the call, what it passed
// over was absent at some moment. Only of a key that an insert_or_assign() overlaps nothing is promised when it is
// passed over: it may have been there all the time, and changed.
#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/linear/checker.hpp"
#include "tests/linear/history.hpp"
#include "tests/linear/report.hpp"

namespace racelab::linear {

using operations_by_key = std::map<int, std::vector<operation>>;

namespace detail {

/// The operations on each of the keys 0 … keys - 1, a clear() among those of every key.
inline operations_by_key by_key(const history& of, int keys) {
  operations_by_key sorted;
  for (int key = 0; key < keys; ++key) sorted[key];
  for (const auto& log : of)
    for (operation each : log.operations) {
      const bool on_all = each.what == kind::clear;
      for (int key = on_all ? 0 : each.key; key < (on_all ? keys : each.key + 1); ++key) {
        each.key = key;
        sorted[key].push_back(each);
      }
    }
  return sorted;
}

/// Adds what `from` told of each key to the key's operations. A complaint if it visited a key twice.
inline std::optional<std::string> add_walk(const walk& from, operations_by_key& to,
                                           const operations_by_key& plain) {
  std::map<int, value> visited;
  for (const auto& [key, held] : from.visited)
    if (!visited.emplace(key, held).second)
      return fmt::format("for_each() of thread {}, from {} to {}, visited key {} twice\n", from.call.thread,
                         from.call.invoked, from.call.returned, key);
  const auto told = [&](int key) {
    operation observed = from.call;
    observed.key = key;
    if (const auto at = visited.find(key); at != visited.end()) observed.found = at->second;
    return observed;
  };
  const auto may_change = [&](const operation& other) {
    return other.what == kind::insert_or_assign && overlap(other, from.call);
  };
  for (const auto& [key, operations] : plain)
    if (visited.contains(key) || std::ranges::none_of(operations, may_change)) to[key].push_back(told(key));
  for (const auto& [key, held] : visited)
    if (!plain.contains(key))
      to[key].push_back(told(key));  // a key that nobody ever stored: it can't be explained
  return std::nullopt;
}

}  // namespace detail

struct check_result {
  std::size_t overlapping = 0;         // pairs of overlapping operations on one key
  std::optional<std::string> problem;  // nothing if the history is as the contract has it
};

/// A history over the keys 0 … keys - 1 of a map that was empty at first.
[[nodiscard]] inline check_result check(const history& of, int keys) {
  check_result result;
  const auto plain = detail::by_key(of, keys);
  auto all = plain;
  for (const auto& log : of)
    for (const auto& each : log.walks)
      if (auto twice = detail::add_walk(each, all, plain)) {
        result.problem = std::move(twice);
        return result;
      }
  for (const auto& [key, operations] : all) {
    for (std::size_t i = 0; i < operations.size(); ++i)
      for (std::size_t j = 0; j < i; ++j)
        if (overlap(operations[i], operations[j])) ++result.overlapping;
    if (auto found = check_key(operations); found && !result.problem) result.problem = text(*found);
  }
  return result;
}

}  // namespace racelab::linear
