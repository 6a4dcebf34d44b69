#include "sanitizers/thread/racing_pair.hpp"

#include <algorithm>
#include <array>
#include <regex>

#include "stacks/symbolise.hpp"

namespace racelab::tsan {
namespace {

racer racer_of(const std::string& function, const std::string& does) {
  return {.function = function == "copy" || function == "move" ? "constructor" : function,
          .writes = does == "W"};
}

bool has(const seen_side& side, const racer& wanted, bool exactly) {
  return side.functions.contains(wanted.function) && (!exactly || side.writes == wanted.writes);
}

bool has_either(const seen_side& side, const racing_pair& wanted) {
  return has(side, wanted.first, false) || has(side, wanted.second, false);
}

/// std_adapter<…> -> std_adapter
std::string_view without_arguments(std::string_view name) { return name.substr(0, name.find("<…>")); }

/// The operations of fixes/support/contract.hpp.
constexpr std::array<std::string_view, 10> operations{
    "find",  "insert", "insert_or_assign", "erase",       "erase_if_equal",
    "clear", "size",   "for_each",         "constructor", "destructor"};

/// Of the class that a function belongs to, with its scope: one of ours, or of a library whose name says so.
bool is_map(std::string_view scope) {
  return scope.starts_with("racelab::") || scope.find("map") != std::string_view::npos;
}

bool is_in_a_map(const seen_side& side) {
  return std::ranges::any_of(
      operations, [&](std::string_view name) { return side.functions.contains(std::string(name)); });
}

}  // namespace

std::optional<racing_pair> racing_pair_of(std::string_view text) {
  static const std::regex form(R"((\S+?)(?:\(\))? ([RW]) vs (\S+?)(?:\(\))? ([RW]))");
  std::match_results<std::string_view::const_iterator> parts;
  if (!std::regex_match(text.begin(), text.end(), parts, form)) return std::nullopt;
  return racing_pair{.first = racer_of(parts[1], parts[2]), .second = racer_of(parts[3], parts[4])};
}

std::string bare_name(const std::string& function) {
  const std::string shortened = stacks::short_name(function);
  // What stands last: a scope never holds a parenthesis but that of an anonymous namespace.
  std::string_view rest = shortened;
  std::string_view scope;
  for (std::size_t at = rest.find("::"); at != std::string_view::npos; at = rest.find("::")) {
    scope = rest.substr(0, at);
    rest.remove_prefix(at + 2);
  }
  if (rest.starts_with("operator")) return std::string(rest.substr(0, rest.find("(…)")));
  const std::string_view name = without_arguments(rest.substr(0, rest.find('(')));
  const bool of_map = is_map(std::string_view(shortened).substr(0, shortened.size() - rest.size()));
  const std::string_view class_name = without_arguments(scope);
  if (name.starts_with('~')) return of_map ? "destructor" : std::string(name);
  if (name == class_name && of_map) return "constructor";
  const bool is_operation = std::ranges::find(operations, name) != operations.end();
  return is_operation && !of_map ? std::string(class_name) + "::" + std::string(name) : std::string(name);
}

bool is_of_pair(const racing_pair& pair, const seen_side& a, const seen_side& b, bool exactly) {
  if (!a.writes && !b.writes) return false;
  return (has(a, pair.first, exactly) && has(b, pair.second, exactly)) ||
         (has(a, pair.second, exactly) && has(b, pair.first, exactly));
}

bool follows_from_pair(const racing_pair& pair, const seen_side& a, const seen_side& b) {
  return (has_either(a, pair) && !is_in_a_map(b)) || (has_either(b, pair) && !is_in_a_map(a));
}

bool outlives_pair(const racing_pair& pair, const seen_side& a, const seen_side& b) {
  return has_either(a, pair) || has_either(b, pair);
}

bool are_two_reads(const seen_side& a, const seen_side& b) { return !a.writes && !b.writes; }

bool is_outside_of_maps(const seen_side& a, const seen_side& b) { return !is_in_a_map(a) && !is_in_a_map(b); }

}  // namespace racelab::tsan
