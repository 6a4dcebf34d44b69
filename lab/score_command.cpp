#include "lab/score_command.hpp"

#include <fmt/format.h>

#include <cstdio>

#include "lab/document.hpp"
#include "lab/output.hpp"
#include "lab/progress.hpp"
#include "lab/score_report.hpp"
#include "lab/terminal.hpp"

namespace racelab::lab {
namespace {

// What is caught in a program without a race disproves the tool, not the program.
std::vector<std::string> unsound(const score_run& run, const std::vector<corpus_program>& programs) {
  std::vector<std::string> lines;
  for (const detector_score& score : run.detectors) {
    if (score.which != detector::judge && score.which != detector::watchpoint) continue;
    for (const score_case& each : score.cases)
      if (each.reported() && !is_faulty(programs[each.program]))
        lines.push_back(fmt::format("{} caught something in {}, which is correct", name(score.which),
                                    programs[each.program].name));
  }
  return lines;
}

}  // namespace

int score_command(const score_options& options) {
  const catalogue all = read_catalogue(options.catalogue);
  const std::vector<corpus_program> programs = select_programs(all.corpus, options.programs);
  if (programs.empty())
    throw catalogue_error(options.catalogue.string() + ": no program of the corpus in it");
  score_settings settings = options.settings;
  settings.judge = std::filesystem::read_symlink("/proc/self/exe");
  if (!options.detectors.empty()) settings.detectors.clear();
  for (const std::string& each : options.detectors)
    settings.detectors.push_back(detector_named(each).value());

  const output_streams out(options.json);
  score_run run;
  {
    progress_line progress(true);
    run = run_score(programs, settings, [&](const std::string& text) { progress.show(text); });
  }
  fmt::print(out.text(), "{}", score_text(run, programs, settings, wants_colour(out.fd())));
  if (run.stopped_by != 0) fmt::print(out.text(), "\ninterrupted: these are the programs that had ended\n");
  out.flush();
  const std::vector<std::string> wrong = unsound(run, programs);
  for (const std::string& line : wrong) fmt::print(stderr, "racelab: {}\n", line);
  if (!options.json.empty()) out.write_json(score_document(run, programs, settings, this_machine()));
  if (run.stopped_by != 0) return 128 + run.stopped_by;
  return wrong.empty() ? 0 : 1;
}

}  // namespace racelab::lab
