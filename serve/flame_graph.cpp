#include "serve/flame_graph.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <ranges>
#include <string_view>
#include <utility>

#include "stacks/symbolise.hpp"

namespace racelab::serve {
namespace {

constexpr double width = 1200;
constexpr double row = 17;
constexpr double top = 40;
constexpr double letter = 7.3;     // of 12 px monospace
constexpr double narrowest = 0.4;  // px: a box that nobody could see

struct box {
  std::uint64_t count = 0;
  std::map<std::string, box> above;
};

std::size_t height_of(const box& at) {
  std::size_t highest = 0;
  for (const auto& [name, each] : at.above) highest = std::max(highest, 1 + height_of(each));
  return highest;
}

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '&')
      result += "&amp;";
    else if (c == '<')
      result += "&lt;";
    else if (c == '>')
      result += "&gt;";
    else if (c == '"')
      result += "&quot;";
    else
      result += c;
  }
  return result;
}

/// As much of a name as fits, whole characters of UTF-8.
std::string fitting(const std::string& name, double pixels) {
  const auto room = static_cast<std::size_t>(std::max(0.0, (pixels - 6) / letter));
  if (room < 3) return "";
  const auto is_start = [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; };
  if (std::cmp_less_equal(std::ranges::count_if(name, is_start), room)) return name;
  std::string cut;
  std::size_t letters = 0;
  for (const char c : name) {
    if (is_start(c) && ++letters == room) break;
    cut += c;
  }
  return cut + "…";
}

/// Between a thread's start and what it serves there are thirty calls of Asio's and Beast's, and more within: one box for
/// each such stretch, with the standard library's coroutine handles in it.
bool is_event_loop(std::string_view name, bool inside) {
  return name.starts_with("boost::") || name.starts_with("boost_asio_") ||
         (inside && name.starts_with("std::"));
}

std::string colour_of(const std::string& name) {
  stacks::frame frame;
  frame.function = name;
  if (is_lock_frame(frame)) return "#6f9ff0";
  const std::size_t hash = std::hash<std::string>()(name);
  return fmt::format("rgb({},{},{})", 225 + hash % 30, 120 + hash / 32 % 90, 60 + hash / 4096 % 40);
}

class picture {
 public:
  picture(const box& whole, const std::string& title) : whole_(whole), levels_(height_of(whole)) {
    const double height = top + row * static_cast<double>(levels_ + 1) + 10;
    put("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" "
        "font-family=\"monospace\" font-size=\"12\">\n"
        "<rect width=\"{0}\" height=\"{1}\" fill=\"#fffdf5\"/>\n"
        "<text x=\"{2}\" y=\"24\" text-anchor=\"middle\">{3}</text>\n",
        width, height, width / 2, escaped(title));
    draw("all", whole, 0, 0);
    text_ += "</svg>\n";
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  template <class... Values> void put(fmt::format_string<Values...> form, Values&&... values) {
    fmt::format_to(std::back_inserter(text_), form, std::forward<Values>(values)...);
  }

  void draw(const std::string& name, const box& at, std::size_t level, double left) {
    const double all = static_cast<double>(std::max<std::uint64_t>(whole_.count, 1));
    const double wide = width * static_cast<double>(at.count) / all;
    if (wide < narrowest) return;
    const double y = top + row * static_cast<double>(levels_ - level);
    put("<g><title>{} ({} samples, {:.1f} %)</title><rect x=\"{:.2f}\" y=\"{:.1f}\" width=\"{:.2f}\" "
        "height=\"{:.1f}\" "
        "rx=\"2\" fill=\"{}\" stroke=\"#fffdf5\"/><text x=\"{:.2f}\" y=\"{:.1f}\">{}</text></g>\n",
        escaped(name), at.count, 100 * static_cast<double>(at.count) / all, left, y, wide, row - 1,
        level == 0 ? std::string("#ddd") : colour_of(name), left + 3, y + 12, escaped(fitting(name, wide)));
    for (const auto& [above, each] : at.above) {
      draw(above, each, level + 1, left);
      left += width * static_cast<double>(each.count) / all;
    }
  }

  const box& whole_;
  std::size_t levels_;
  std::string text_;
};

}  // namespace

folded_stacks fold(const std::vector<sampled_stack>& samples) {
  folded_stacks folded;
  for (const sampled_stack& stack : samples) {
    std::string line;
    bool in_event_loop = false;
    for (const stacks::frame& each : stack.frames | std::views::reverse) {
      if (stacks::is_runtime_frame(each)) continue;
      std::string name = each.function.empty() ? "[unknown]" : stacks::short_name(each.function);
      std::ranges::replace(name, ';', ':');  // it separates frames
      const bool event_loop = is_event_loop(name, in_event_loop);
      if (event_loop && in_event_loop) continue;  // in the box already
      in_event_loop = event_loop;
      if (event_loop) name = "[Asio and Beast]";
      line += (line.empty() ? "" : ";") + name;
    }
    if (!line.empty()) folded[line] += stack.count;
  }
  return folded;
}

std::string folded_text(const folded_stacks& stacks) {
  std::string text;
  for (const auto& [stack, count] : stacks) text += fmt::format("{} {}\n", stack, count);
  return text;
}

std::string flame_graph_svg(const folded_stacks& stacks, const std::string& title) {
  box whole;
  for (const auto& [stack, count] : stacks) {
    box* at = &whole;
    at->count += count;
    for (const auto name : stack | std::views::split(';')) {
      at = &at->above[std::string(name.begin(), name.end())];
      at->count += count;
    }
  }
  return picture(whole, title).text();
}

}  // namespace racelab::serve
