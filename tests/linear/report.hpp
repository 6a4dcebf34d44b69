// A counter-example as people read it.
#pragma once

#include <fmt/format.h>

#include <array>
#include <string>
#include <string_view>

#include "tests/linear/checker.hpp"
#include "tests/linear/history.hpp"

namespace racelab::linear {

[[nodiscard]] inline std::string_view name(kind what) noexcept {
  static constexpr std::array<std::string_view, kinds> names{
      "find", "insert", "insert_or_assign", "erase", "erase_if_equal", "for_each", "clear"};
  return names[static_cast<std::size_t>(what)];
}

[[nodiscard]] inline std::string text(const state& holds) {
  if (!holds) return "nothing";
  return *holds == torn ? "a torn value" : fmt::format("{}", *holds);
}

/// The call, as in `insert(3, 17)`.
[[nodiscard]] inline std::string call_text(const operation& of) {
  switch (of.what) {
    case kind::for_each:
    case kind::clear:
      return fmt::format("{}()", name(of.what));
    case kind::find:
    case kind::erase:
      return fmt::format("{}({})", name(of.what), of.key);
    default:
      return fmt::format("{}({}, {})", name(of.what), of.key, of.argument);
  }
}

/// What came back; for a for_each(), what it told of the key.
[[nodiscard]] inline std::string result_text(const operation& of) {
  switch (of.what) {
    case kind::find:
    case kind::erase:
      return text(of.found);
    case kind::for_each:
      return of.found ? "visited " + text(of.found) : "passed over";
    case kind::insert:
    case kind::erase_if_equal:
      return of.done ? "true" : "false";
    default:
      return "";
  }
}

[[nodiscard]] inline std::string text(const counter_example& found) {
  std::string before;
  for (const auto& each : found.before) before += (before.empty() ? "" : " or ") + text(each);
  std::string all = fmt::format("no order of these operations on key {} explains their results\n",
                                found.operations.front().key) +
                    fmt::format("  before them: {}\n  {:>8} {:>8}  thread  {:<36}  result\n", before, "from",
                                "to", "operation");
  for (const auto& each : found.operations) {
    const std::string to = each.returned == pending ? "later" : fmt::format("{}", each.returned);
    const std::string result = each.returned == pending ? "" : result_text(each);
    all += fmt::format("  {:>8} {:>8}  {:>6}  {:<36}  {}\n", each.invoked, to, each.thread, call_text(each),
                       result);
  }
  return all;
}

}  // namespace racelab::linear
