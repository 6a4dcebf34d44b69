#include "lab/crash_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "lab/table.hpp"

namespace racelab::lab {
namespace {

constexpr std::array table_outcomes{outcome::intact, outcome::corrupt, outcome::crash, outcome::fatal,
                                    outcome::hang};

std::string percent(double rate) { return fmt::format("{:.1f} %", rate * 100); }

std::string bounds(const interval& of) {
  return fmt::format("[{:.1f}, {:.1f}]", of.low * 100, of.high * 100);
}

std::string milliseconds(std::optional<double> time) {
  if (!time) return "-";
  return fmt::format("{:.{}f}", *time, *time < 100 ? 1 : 0);
}

}  // namespace

std::string crash_heading(const crash_settings& settings, const machine& where, std::size_t rows) {
  const std::string seed = settings.one_seed ? fmt::format("trial seed {}", *settings.one_seed)
                                             : fmt::format("seed {}", settings.seed);
  const unsigned jobs = settings.perturb == perturbation::none ? settings.unperturbed_jobs : settings.jobs;
  return fmt::format("--perturb {}, {} {} of {} trial{}, {} at a time, {}\n{}, {} processor{}, {}, {}\n",
                     name(settings.perturb), rows, rows == 1 ? "row" : "rows", settings.trials,
                     settings.trials == 1 ? "" : "s", jobs, seed, where.processor, where.processors,
                     where.processors == 1 ? "" : "s", where.system, where.kernel);
}

std::string crash_table(const crash_run& run, const crash_settings& settings, bool coloured,
                        std::size_t columns) {
  const bool strange = std::ranges::any_of(run.rows, [](const crash_row& row) { return row.strange() != 0; });
  const bool baselines = std::ranges::any_of(run.rows, [](const crash_row& row) { return row.baseline; });

  std::vector<table_column> titles{{"  map", false}, {"trials"}};
  for (const outcome what : table_outcomes) titles.push_back({std::string(name(what))});
  if (strange) titles.push_back({"no protocol"});
  titles.insert(titles.end(), {{"rate"}, {"95 %"}});
  if (baselines) titles.insert(titles.end(), {{"unperturbed"}, {"95 %"}});
  titles.insert(titles.end(), {{"ms to fail"}, {has_seed(settings.perturb) ? "failing seed" : ""}});

  table result(std::move(titles));
  std::string scenario;
  for (std::size_t i = 0; i < run.rows.size(); ++i) {
    const crash_row& row = run.rows[i];
    if (row.baseline || row.trials == 0) continue;
    if (row.scenario != scenario) {
      scenario = row.scenario;
      std::string story = wrapped(row.story, 2, columns);
      if (!story.empty()) story.pop_back();  // the table ends its lines itself
      result.add_line("");
      result.add_line(paint(scenario, style::bold, coloured));
      if (!story.empty()) result.add_line(paint(story, style::dim, coloured));
    }

    std::vector<table_cell> cells{{"  " + row.program.map}, {std::to_string(row.trials)}};
    for (const outcome what : table_outcomes) {
      const unsigned count = row.count(what);
      cells.push_back({std::to_string(count), count == 0 ? style::dim : style::plain});
    }
    if (strange) {
      cells.push_back({std::to_string(row.strange()), row.strange() == 0 ? style::dim : style::red});
    }
    cells.push_back({percent(row.rate()), style::bold});
    cells.push_back({bounds(row.rate_interval())});
    if (baselines) {
      const bool has_one = i + 1 < run.rows.size() && run.rows[i + 1].baseline && run.rows[i + 1].trials != 0;
      cells.push_back({has_one ? percent(run.rows[i + 1].rate()) : "-"});
      cells.push_back({has_one ? bounds(run.rows[i + 1].rate_interval()) : "-"});
    }
    cells.push_back({milliseconds(row.median_milliseconds())});
    const bool seeded = row.kept && row.kept->seed;
    cells.push_back({seeded ? std::to_string(*row.kept->seed) : ""});
    result.add(std::move(cells));
  }
  return result.text(coloured);
}

std::string repeating_command(const crash_row& row, std::optional<std::uint64_t> seed) {
  std::string command =
      fmt::format("racelab crash {} --map {} --perturb {}", row.scenario, row.program.map, name(row.perturb));
  if (row.perturb == perturbation::stall) {
    command = fmt::format("racelab crash {} --map {}", row.scenario, row.program.map);
  }
  if (seed) command += fmt::format(" --trial-seed {}", *seed);
  return command;
}

std::string kept_trial(const crash_row& row, bool coloured) {
  const failing_trial& kept = row.kept.value();
  std::string output = printable(kept.output);
  if (!output.empty() && output.back() != '\n') output += '\n';
  return fmt::format("{}\n{}\n\n{}",
                     paint(fmt::format("{} over {}: {}", row.scenario, row.program.map, name(kept.what)),
                           style::bold, coloured),
                     paint("again: " + repeating_command(row, kept.seed), style::dim, coloured), output);
}

const crash_row* closing_row(const crash_run& run) {
  const crash_row* any = nullptr;
  for (const crash_row& row : run.rows) {
    if (!row.kept || !row.kept->has_trace) continue;
    if (row.kind == scenario_kind::crash) return &row;
    if (any == nullptr) any = &row;
  }
  return any;
}

std::vector<const crash_row*> one_row_of_each_scenario(const crash_run& run) {
  std::vector<const crash_row*> chosen;
  for (const crash_row& row : run.rows) {
    if (row.baseline || !row.kept) continue;
    if (chosen.empty() || chosen.back()->scenario != row.scenario) {
      chosen.push_back(&row);
    } else if (!chosen.back()->kept->has_trace && row.kept->has_trace) {
      chosen.back() = &row;
    }
  }
  return chosen;
}

}  // namespace racelab::lab
