#include "lab/judge_report.hpp"

#include <fmt/format.h>

#include <array>
#include <string_view>

#include "lab/terminal.hpp"
#include "sanitizers/verdict/controls.hpp"
#include "stacks/format.hpp"

namespace racelab::lab {
namespace {

using verdict::judged_report;

style style_of(verdict::verdict what) {
  static constexpr std::array<style, 4> styles{style::red, style::yellow, style::yellow, style::green};
  return styles[static_cast<std::size_t>(what)];
}

std::string site_text(const verdict::judged_site& of) {
  std::string text = of.access;
  if (of.size != 0 && of.access != "free")
    text += fmt::format(" of {} byte{}", of.size, of.size == 1 ? "" : "s");
  if (!text.empty()) text += " in ";
  text += of.function.empty() ? "unknown code" : of.function;
  if (!of.file.empty()) text += of.line == 0 ? " " + of.file : fmt::format(" {}:{}", of.file, of.line);
  return text;
}

std::string points_text(const std::vector<verdict::delay_point>& points) {
  std::string text = "    stalled/came, ms:";
  for (const verdict::delay_point& each : points)
    text += fmt::format(" {:.1f}/{:.1f}", each.stalled_ms, each.came_ms);
  return text + "\n";
}

}  // namespace

std::string judged_report_text(const judged_report& of, const std::string& recipe, bool coloured) {
  std::string text = paint(fmt::format("{}", verdict::name(of.what)), style_of(of.what), coloured);
  text += fmt::format(": {}{}  {}\n", of.title, of.reported ? "" : " (ThreadSanitizer did not report it)",
                      paint("[" + of.id + "]", style::dim, coloured));
  for (const verdict::judged_site& each : of.sites) text += "  " + printable(site_text(each)) + "\n";
  text += "\n" + wrapped(printable(of.reason), 2, 100);
  if (of.harm)
    text += wrapped(
        printable("Consequence: " + std::string(verdict::name(*of.harm)) + ", " + of.harm_detail + "."), 2,
        100);
  text += paint("  Evidence:\n", style::bold, coloured);
  for (const verdict::evidence_item& each : of.why) {
    text += wrapped(printable(fmt::format("{}: {}", each.type, each.detail)), 4, 100);
    if (!each.points.empty()) text += wrapped(points_text(each.points), 6, 100);
  }
  if (const verdict::negative_control* control = verdict::control_of(of.cause)) {
    text += wrapped(fmt::format("A program that is reported for the same cause, {}: repro/{}.cpp",
                                control->mechanism, control->program),
                    2, 100);
    text += wrapped(fmt::format("ThreadSanitizer is told of such an order by {}.", control->advice), 2, 100);
  }
  for (const verdict::caught_side& each : of.caught) {
    text += "\n" + paint(printable(each.title) + ":", style::bold, coloured) + "\n";
    text += printable(stacks::format_frames(each.frames, stacks::detail::user));
    text += printable(stacks::format_created_by(each.created_by, stacks::detail::user));
  }
  if (!of.value.empty()) text += "\nvalue: " + of.value + "\n";
  if (!of.crash.empty())
    text += "\n" + paint("a forced run that crashed:", style::bold, coloured) + "\n" + printable(of.crash);
  if (of.again) {
    text += fmt::format("\nagain ({} of {} replays caught it)", of.again->reproduced, of.again->trials);
    text += recipe.empty() ? ": racelab judge --recipe FILE writes it down\n"
                           : ": racelab replay " + recipe + "\n";
  }
  return text;
}

std::string judgement_text(const verdict::judgement& of, const std::vector<std::string>& recipes,
                           bool coloured) {
  std::string text;
  for (std::size_t i = 0; i < of.reports.size(); ++i)
    text += judged_report_text(of.reports[i], i < recipes.size() ? recipes[i] : "", coloured) + "\n";
  for (const std::string& note : of.notes) text += wrapped(printable("Note: " + note), 0, 100);
  text += fmt::format(
      "{}: {}, {} report{}, {} runs under ThreadSanitizer, {} watched runs, {:.1f} s, seed {}{}\n",
      printable(of.program), of.overall(), of.reports.size(), of.reports.size() == 1 ? "" : "s", of.tsan_runs,
      of.watch_runs, of.seconds, of.seed, of.interrupted ? ", interrupted" : "");
  return text;
}

}  // namespace racelab::lab
