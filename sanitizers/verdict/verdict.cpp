#include "sanitizers/verdict/verdict.hpp"

#include <algorithm>

namespace racelab::verdict {

namespace {

constexpr std::array<std::string_view, 3> catch_kind_names{"pair", "change", "deadlock"};

}  // namespace

std::string_view name(verdict what) noexcept {
  static constexpr std::array<std::string_view, 4> names{"confirmed", "unconfirmed", "ordering-only",
                                                         "likely-false"};
  return names[static_cast<std::size_t>(what)];
}

std::string_view name(consequence what) noexcept {
  static constexpr std::array<std::string_view, 6> names{"crash",     "hang",   "corruption",
                                                         "exit-code", "output", "none-seen"};
  return names[static_cast<std::size_t>(what)];
}

std::string_view name(catch_kind what) noexcept { return catch_kind_names[static_cast<std::size_t>(what)]; }

std::optional<catch_kind> catch_kind_named(std::string_view name) noexcept {
  const auto* const found = std::ranges::find(catch_kind_names, name);
  if (found == catch_kind_names.end()) return std::nullopt;
  return static_cast<catch_kind>(found - catch_kind_names.begin());
}

std::string_view judgement::overall() const noexcept {
  const auto first = std::ranges::min_element(reports, {}, &judged_report::what);
  return first == reports.end() ? "no-report" : name(first->what);
}

}  // namespace racelab::verdict
