#include "lab/tsan_command.hpp"

#include <fmt/format.h>

#include "lab/document.hpp"
#include "lab/machine.hpp"
#include "lab/output.hpp"
#include "lab/progress.hpp"
#include "lab/terminal.hpp"
#include "lab/tsan_report.hpp"

namespace racelab::lab {
namespace {

/// The catalogue of the programs that are linked with that runtime: the given one, or that of the preset beside it.
catalogue catalogue_for(const tsan_options& options) {
  catalogue all = read_catalogue(options.catalogue);
  if (options.runtime.empty() || all.runtime == options.runtime) return all;
  const std::filesystem::path beside =
      std::filesystem::absolute(options.catalogue).parent_path().parent_path() /
      (options.runtime == "gcc" ? "gcc" : "default") / "catalogue.json";
  all = read_catalogue(beside);
  if (all.runtime != options.runtime)
    throw catalogue_error(
        fmt::format("{}: its programs are linked with the runtime of {}", beside.string(), all.runtime));
  return all;
}

void show_details(const tsan_run& run) {
  for (const tsan_row& row : run.rows)
    fmt::print(
        stderr,
        "{} over {}: {} reports in {} trials, {} with one, {} as named; stalls: {} of {} intact, {} pairs\n",
        row.scenario, row.program.map, row.reports, row.trials, row.with_reports, row.seen, row.intact,
        row.stall_trials, row.pairs_caught);
}

}  // namespace

int tsan_command(const tsan_options& options) {
  const tsan_settings& settings = options.settings;
  const catalogue all = catalogue_for(options);
  const std::vector<scenario> chosen = select_scenarios(all.scenarios, options.scenarios);
  std::vector<tsan_row> rows = plan_tsan(all, chosen, settings);
  if (rows.empty()) throw catalogue_error("nothing to run: no program of these scenarios is over such a map");
  const output_streams out(options.json);
  const bool coloured = wants_colour(out.fd());
  const machine where = this_machine();
  fmt::print(out.text(), "{}\n", tsan_heading(settings, all, where, rows.size()));
  out.flush();

  const std::size_t trials = trials_of(rows, settings);
  tsan_run run;
  {
    progress_line progress(!options.verbose);
    run = run_tsan(std::move(rows), tsan::runtime_named(all.runtime).value(), settings,
                   [&](const std::vector<tsan_row>& at, std::size_t ended, std::size_t row) {
                     progress.show(fmt::format("{} of {} trials: {} over {}", ended, trials, at[row].scenario,
                                               at[row].program.map));
                   });
  }
  if (options.verbose) show_details(run);

  fmt::print(out.text(), "{}\n{}", tsan_matrix(run, coloured), tsan_legend(run, settings, all, chosen));
  if (run.stopped_by != 0) fmt::print(out.text(), "\ninterrupted: these are the trials that had ended\n");
  out.flush();

  // What was cut short proves nothing either way.
  const std::vector<std::string> wrong = run.stopped_by == 0 ? surprises(run) : std::vector<std::string>();
  for (const std::string& line : wrong) fmt::print(stderr, "racelab: {}\n", line);
  if (!options.json.empty()) out.write_json(tsan_document(run, settings, all, where, wrong));
  if (run.stopped_by != 0) return 128 + run.stopped_by;
  return wrong.empty() ? 0 : 1;
}

}  // namespace racelab::lab
