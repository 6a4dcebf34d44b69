#include "lab/crash_command.hpp"

#include <fmt/format.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <memory>

#include "lab/crash_core.hpp"
#include "lab/crash_report.hpp"
#include "lab/document.hpp"
#include "lab/machine.hpp"
#include "lab/output.hpp"
#include "lab/progress.hpp"
#include "lab/terminal.hpp"

namespace racelab::lab {
namespace {

std::shared_ptr<spdlog::logger> make_log(bool verbose) {
  auto log =
      std::make_shared<spdlog::logger>("racelab", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
  log->set_pattern("%H:%M:%S.%e %v");
  log->set_level(verbose ? spdlog::level::debug : spdlog::level::off);
  return log;
}

std::string said(const trial_result& result) {
  std::string text(name(result.what));
  if (result.signal != 0) text += fmt::format(", signal {}", result.signal);
  if (!result.why.empty()) text += ": " + result.why;
  return text;
}

crash_run run_and_watch(std::vector<crash_row> rows, const crash_options& options) {
  const auto log = make_log(options.verbose);
  progress_line progress(!options.verbose);
  crash_observer observer;
  observer.trial = [&](const crash_row& row, std::size_t trial, const trial_result& result) {
    if (!log->should_log(spdlog::level::debug)) return;
    log->debug("{} over {}, --perturb {}, trial {}: {} after {:.1f} ms", row.scenario, row.program.map,
               name(row.perturb), trial, said(result), result.milliseconds);
    if (!result.randomised) {
      log->debug("it was run again with address-space randomisation off: ThreadSanitizer could not stand it");
    }
    if (result.truncated) log->debug("it wrote more than is kept; the rest was dropped");
  };
  observer.tick = [&](const std::vector<crash_row>& all, std::size_t row) {
    const crash_row& at = all[row];
    progress.show(fmt::format("row {} of {}: {} over {}, --perturb {}, {} of {} trials", row + 1, all.size(),
                              at.scenario, at.program.map, name(at.perturb), at.trials,
                              options.settings.trials));
  };
  return run_crash(std::move(rows), options.settings, observer);
}

/// Prints what became of each core file.
core_run keep_and_tell(const crash_run& run, const crash_options& options, const output_streams& out) {
  core_run kept;
  {
    progress_line progress(!options.verbose);
    kept = keep_cores(run, options.settings, options.core, kernel_core_pattern(),
                      [&](const std::string& name) { progress.show("core of " + name); });
  }
  fmt::print(out.text(), "\n{}", kept.cores.empty() ? "nothing failed: no core\n" : core_lines(kept));
  return kept;
}

int exit_code_of(const core_run& kept) {
  if (kept.stopped_by != 0) return 128 + kept.stopped_by;
  const auto count = [&](auto which) { return std::ranges::count_if(kept.cores, which); };
  if (count([](const kept_core& each) { return each.needs_gdb; }) != 0) {
    fmt::print(stderr, "racelab: --core needs gdb here (apt-get install gdb)\n");
    return 2;
  }
  return count([](const kept_core& each) { return each.core.empty(); }) == 0 ? 0 : 1;
}

}  // namespace

int crash_command(const crash_options& options) {
  const crash_settings& settings = options.settings;
  std::vector<crash_row> rows =
      plan_crash(select_maps(select_scenarios(read_catalogue(options.catalogue).scenarios, options.scenarios),
                             options.maps),
                 settings);
  if (rows.empty()) throw catalogue_error(options.catalogue.string() + ": no scenarios");
  if (!options.core.empty())
    std::filesystem::create_directories(options.core);  // complains now, not after the trials
  const output_streams out(options.json);
  const bool coloured = wants_colour(out.fd());
  const machine where = this_machine();
  fmt::print(out.text(), "{}", crash_heading(settings, where, rows.size()));
  out.flush();

  const crash_run run = run_and_watch(std::move(rows), options);

  if (options.trace_each) {
    for (const crash_row* row : one_row_of_each_scenario(run))
      fmt::print(out.text(), "\n{}", kept_trial(*row, coloured));
  }
  fmt::print(out.text(), "\n{}", crash_table(run, settings, coloured, columns(out.fd(), 120)));
  if (options.traces) {
    for (const crash_row& row : run.rows) {
      if (row.kept) fmt::print(out.text(), "\n{}", kept_trial(row, coloured));
    }
  } else if (const crash_row* row = closing_row(run)) {
    fmt::print(out.text(), "\n{}", kept_trial(*row, coloured));
  }
  if (run.stopped_by != 0) fmt::print(out.text(), "\ninterrupted: these are the trials that had ended\n");
  core_run kept;
  if (!options.core.empty() && run.stopped_by == 0) kept = keep_and_tell(run, options, out);
  out.flush();

  // What was cut short proves nothing either way.
  std::vector<std::string> broken;
  if (run.stopped_by == 0) {
    std::optional<double> least_rate = options.least_rate;
    if (!least_rate && settings.perturb == perturbation::stall) least_rate = 0.99;
    broken = broken_expectations(run.rows, least_rate);
  }
  for (const std::string& line : broken) fmt::print(stderr, "racelab: {}\n", line);

  if (!options.json.empty()) out.write_json(crash_document(run, kept.cores, settings, where, broken));
  if (run.stopped_by != 0) return 128 + run.stopped_by;
  if (const int code = exit_code_of(kept); code != 0) return code;
  return broken.empty() ? 0 : 1;
}

}  // namespace racelab::lab
