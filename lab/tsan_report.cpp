#include "lab/tsan_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "lab/terminal.hpp"

namespace racelab::lab {
namespace {

struct cell {
  std::string text = "·";
  style how = style::dim;
};

cell cell_of(const tsan_row& row) {
  if (row.trials == 0 && row.stall_trials == 0) return {};
  if (!row.ok()) {
    if (row.expects_report && row.unexpected.empty() && row.strange.empty())
      return {fmt::format("{}/{}!", row.seen, row.trials), style::red};
    if (row.reports != 0 && !row.expects_report) return {fmt::format("{} rep.", row.reports), style::red};
    if (row.intact != row.stall_trials)
      return {fmt::format("{} bad", row.stall_trials - row.intact), style::red};
    if (row.pairs_caught != 0) return {fmt::format("{} prs", row.pairs_caught), style::red};
    return {row.expects_report ? fmt::format("{}/{}?", row.seen, row.trials) : "odd", style::red};
  }
  if (row.expects_report) return {fmt::format("{}/{}", row.seen, row.trials), style::plain};
  return {"clean", style::green};
}

void add_once(std::vector<std::string>& names, const std::string& name) {
  if (std::ranges::find(names, name) == names.end()) names.push_back(name);
}

/// A block of the matrix. The columns' names stand above in steps, for they are wider than the cells.
std::string block(const std::string& title, const std::vector<std::string>& scenarios,
                  const std::vector<std::string>& maps,
                  const std::map<std::pair<std::string, std::string>, cell>& cells, bool coloured) {
  constexpr std::size_t cell_width = 8;
  std::size_t name_width = width(title);
  for (const std::string& name : scenarios) name_width = std::max(name_width, width(name));
  name_width += 2;

  std::string text;
  for (std::size_t step = 0; step < maps.size(); ++step) {
    std::string line(name_width, ' ');
    for (std::size_t i = 0; i < step; ++i) line += "|" + std::string(cell_width - 1, ' ');
    text += line + maps[step] + "\n";
  }
  std::string line = title + std::string(name_width - width(title), ' ');
  for (std::size_t i = 0; i < maps.size(); ++i) line += "|" + std::string(cell_width - 1, ' ');
  line.erase(line.find_last_not_of(' ') + 1);
  text += paint(line, style::bold, coloured) + "\n";

  for (const std::string& scenario : scenarios) {
    text += scenario;
    std::size_t spaces = name_width - width(scenario);
    for (const std::string& map : maps) {
      const auto at = cells.find({scenario, map});
      const cell shown = at == cells.end() ? cell{} : at->second;
      text.append(std::exchange(spaces, 0), ' ').append(paint(shown.text, shown.how, coloured));
      spaces = cell_width - std::min(cell_width - 1, width(shown.text));
    }
    text += "\n";
  }
  return text;
}

}  // namespace

std::string tsan_heading(const tsan_settings& settings, const catalogue& all, const machine& where,
                         std::size_t rows) {
  return fmt::format(
      "ThreadSanitizer of {} {}, {} program{} of {} trial{}{}, {} at a time, seed {}\n{}, {} processor{}, "
      "{}, {}\n",
      all.runtime, all.runtime_version, rows, rows == 1 ? "" : "s", settings.trials,
      settings.trials == 1 ? "" : "s",
      settings.stall_trials == 0
          ? ""
          : fmt::format(", those of remedies also of {} under stalls", settings.stall_trials),
      settings.jobs, settings.seed, where.processor, where.processors, where.processors == 1 ? "" : "s",
      where.system, where.kernel);
}

std::string tsan_matrix(const tsan_run& run, bool coloured) {
  std::string text;
  for (const bool remedies : {false, true}) {
    std::vector<std::string> scenarios;
    std::vector<std::string> maps;
    std::map<std::pair<std::string, std::string>, cell> cells;
    for (const tsan_row& row : run.rows) {
      if ((row.kind == tsan_kind::fix) != remedies) continue;
      add_once(scenarios, row.scenario);
      add_once(maps, row.program.map);
      cells[{row.scenario, row.program.map}] = cell_of(row);
    }
    if (cells.empty()) continue;
    if (!text.empty()) text += "\n";
    text += block(remedies ? "over remedies" : "over racy maps", scenarios, maps, cells, coloured);
  }
  return text;
}

std::string tsan_legend(const tsan_run& run, const tsan_settings& settings, const catalogue& all,
                        const std::vector<scenario>& chosen) {
  std::string text = fmt::format(
      "k/N    in k of N trials ThreadSanitizer reported a pair that the scenario names, and nothing but it "
      "and\n"
      "       what follows from it (freed memory that has gone to somebody else)\n"
      "clean  0 reports in {} trials{}\n",
      settings.trials,
      settings.stall_trials == 0
          ? ""
          : fmt::format("; a remedy's: also {0} of {0} intact under stalls, 0 pairs caught",
                        settings.stall_trials));
  std::size_t stalled = 0;
  std::size_t intact = 0;
  std::size_t pairs = 0;
  for (const tsan_row& row : run.rows) {
    stalled += row.stall_trials;
    intact += row.intact;
    pairs += row.pairs_caught;
  }
  if (stalled != 0)
    text += fmt::format("Under stalls: {} of {} trials intact, {} pairs caught.\n", intact, stalled, pairs);
  for (const remedy& each : all.fixes)
    if (!each.built)
      text += fmt::format("SKIPPED: {} (the library that it needs is not installed)\n", each.name);
  const bool remedies =
      std::ranges::any_of(run.rows, [](const tsan_row& row) { return row.kind == tsan_kind::fix; });
  for (const scenario& one : chosen)
    for (const std::string& reason : one.not_fixes)
      if (remedies) text += fmt::format("{} leaves out {}\n", one.name, reason);
  return text;
}

}  // namespace racelab::lab
