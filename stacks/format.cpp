#include "stacks/format.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <ranges>
#include <string>
#include <utility>

#include "stacks/names.hpp"

namespace racelab::stacks {
namespace {

std::string name_of(const frame& shown, detail how) {
  if (shown.function.empty()) return "?";
  return how == detail::system ? shown.function : short_name(shown.function);
}

// A name around its parameter list.
struct split_name {
  std::string before;
  std::string after;  // " const"
};

// The last bracketed group is the parameters, unless the name goes on after it: `(anonymous namespace)::f`.
split_name without_parameters(std::string name) {
  const std::size_t close = name.rfind(')');
  if (close == std::string::npos || name.find("::", close) != std::string::npos) return {std::move(name), ""};
  std::size_t open = close;
  for (int depth = 1; depth > 0 && open > 0;) {
    --open;
    if (name[open] == ')') ++depth;
    if (name[open] == '(') --depth;
  }
  return {name.substr(0, open), name.substr(close + 1)};
}

std::string hex(std::uintptr_t number) {
  std::array<char, 2 * sizeof number> digits{};
  char* const end = std::to_chars(digits.data(), digits.data() + digits.size(), number, 16).ptr;
  return "0x" + std::string(digits.data(), end);
}

std::string where(const frame& shown, detail how) {
  if (shown.module.empty()) return hex(shown.pc);
  std::string text = shown.file.empty() ? shown.module : shown.file + ":" + std::to_string(shown.line);
  if (!shown.inlined) text += " +" + hex(shown.offset);
  if (how == detail::system) text += " pc=" + hex(shown.pc);
  return text;
}

std::string two_lines(const frame& shown, detail how) {
  std::string name = name_of(shown, how);
  if (shown.inlined) {
    // Go's sign for an inlined call.
    const auto [before, after] = without_parameters(std::move(name));
    name = before + "(...)" + after;
  }
  return name + "\n\t" + where(shown, how) + "\n";
}

}  // namespace

std::string format_frames(const std::vector<frame>& frames, detail shown) {
  std::vector<const frame*> visible;
  // From the outside in: what a detector calls in the system's libraries is as little of interest as itself.
  bool in_detector = false;
  for (const frame& each : std::views::reverse(frames)) {
    if (is_detector_frame(each)) {
      in_detector = true;
    } else if (!is_system_library(each.module)) {
      in_detector = false;
    }
    if (!in_detector && !is_runtime_frame(each)) visible.push_back(&each);
  }
  std::ranges::reverse(visible);
  if (shown == detail::system || visible.empty()) {
    visible.clear();
    for (const frame& each : frames) visible.push_back(&each);
  }
  std::string text;
  for (const frame* each : visible) text += two_lines(*each, shown);
  return text;
}

std::string format_created_by(const std::vector<frame>& frames, detail shown) {
  if (frames.empty()) return {};
  auto spawner = std::ranges::find_if_not(frames, is_spawning_frame);
  if (spawner == frames.end()) spawner = frames.begin();
  // Go names the function only.
  std::string name = name_of(*spawner, shown);
  if (shown == detail::user) name = without_parameters(std::move(name)).before;
  return "created by " + name + "\n\t" + where(*spawner, shown) + "\n";
}

}  // namespace racelab::stacks
