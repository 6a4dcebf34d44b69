#include "lab/judge_command.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "lab/document.hpp"
#include "lab/judge_report.hpp"
#include "lab/output.hpp"
#include "lab/progress.hpp"
#include "lab/statistics.hpp"
#include "lab/terminal.hpp"
#include "sanitizers/thread/log_parser.hpp"
#include "sanitizers/verdict/consequences.hpp"
#include "sanitizers/verdict/documents.hpp"
#include "sanitizers/verdict/matching.hpp"
#include "stacks/format.hpp"

namespace racelab::lab {
namespace {

namespace fs = std::filesystem;

std::vector<tsan::report> reports_in(const std::vector<std::string>& logs) {
  std::vector<tsan::report> all;
  for (const std::string& log : logs)
    std::ranges::move(tsan::reports_in(content_of(log)), std::back_inserter(all));
  if (all.empty())
    throw std::runtime_error(fmt::format("{}: no report of ThreadSanitizer in it", fmt::join(logs, ", ")));
  return all;
}

// FILE for the first, FILE.2 for the second.
std::string recipe_name(const std::string& file, std::size_t index) {
  return index == 0 ? file : fmt::format("{}.{}", file, index + 1);
}

// Of each report, the recipe's file; empty if it has none.
std::vector<std::string> recipe_names(const verdict::judgement& of, const judge_options& options) {
  std::vector<std::string> names(of.reports.size());
  if (options.recipe.empty()) return names;
  std::size_t named = 0;
  for (std::size_t i = 0; i < of.reports.size(); ++i)
    if (of.reports[i].again) names[i] = recipe_name(options.recipe, named++);
  return names;
}

void write_recipes(const verdict::judgement& of, const std::vector<std::string>& names,
                   const judged_files& files, const judge_options& options) {
  for (std::size_t i = 0; i < of.reports.size(); ++i) {
    if (names[i].empty()) continue;
    const std::chrono::milliseconds timeout = options.run.timeout.value_or(of.reports[i].again->timeout);
    write_document(names[i], verdict::recipe_document(
                                 {.program = files.tsan.string(),
                                  .watch = files.watch.string(),
                                  .watch_fingerprint = fingerprint_of_file(files.watch),
                                  .arguments = options.run.arguments,
                                  .directory = fs::current_path().string(),
                                  .standard_input = options.run.standard_input.empty()
                                                        ? ""
                                                        : fs::absolute(options.run.standard_input).string(),
                                  .library_path = files.library_path.string(),
                                  .timeout_ms = timeout.count(),
                                  .verdict_id = of.reports[i].id,
                                  .what = *of.reports[i].again}));
  }
}

std::string thread_text(const std::string& title, const std::vector<verdict::place>& stack,
                        const std::vector<verdict::place>& created_by, verdict::place_names& names) {
  return fmt::format("{}:\n{}{}\n", title,
                     printable(stacks::format_frames(names.frames(stack), stacks::detail::user)),
                     printable(stacks::format_created_by(names.frames(created_by), stacks::detail::user)));
}

// The threads of the first catch that the recipe is for; empty if there is none.
std::string caught_text(const verdict::recipe& wanted, const verdict::evidence& found,
                        verdict::place_names& names) {
  const auto party_text = [&](const verdict::party& at, std::string_view where) {
    return thread_text(fmt::format("thread {} {} its {}", at.thread, where, verdict::name(at.access)),
                       at.stack, at.created_by, names);
  };
  for (const verdict::caught_pair& each : found.caught) {
    if (!verdict::is_caught(wanted, each, names)) continue;
    if (each.came) return party_text(each.stalled, "stopped before") + party_text(*each.came, "at");
    return party_text(each.stalled, fmt::format("saw {:#x} become {:#x}, stopped before", each.value_before,
                                                each.value_after));
  }
  for (const verdict::deadlock& each : found.deadlocks) {
    if (!verdict::is_caught(wanted, each, names)) continue;
    std::string text;
    for (const verdict::deadlock::waiter& waiter : each.waiters)
      text += thread_text(fmt::format("thread {} waiting for {} while it holds {}", waiter.where.thread,
                                      waiter.waits_for, fmt::join(waiter.holds, ", ")),
                          waiter.where.stack, waiter.where.created_by, names);
    return text;
  }
  return "";
}

}  // namespace

int judge_command(const judge_options& options) {
  const judged_files files = find_judged_files(options.program, options.watch);
  const output_streams out(options.json);
  for (const std::string& each : {options.sarif, options.recipe})
    if (!each.empty()) check_writable(each);
  verdict::judge_settings settings;
  settings.budget = std::chrono::duration<double>(options.budget_seconds);
  settings.seed = options.seed;
  if (!options.reports.empty()) {
    settings.given = reports_in(options.reports);
  }

  judged_process program(files, options.run);
  verdict::judgement result;
  {
    progress_line progress(true);
    std::string doing;
    program.set_tick([&] { progress.show(doing); });
    result = verdict::judge_program(program, settings, [&](const std::string& text) {
      doing = fmt::format("{} (of {:.0f} s)", text, options.budget_seconds);
      progress.show(doing);
    });
  }
  result.program = options.program;
  const std::vector<std::string> recipes = recipe_names(result, options);
  // The text first: what was found is told also if a file can't be written.
  fmt::print(out.text(), "{}", judgement_text(result, recipes, wants_colour(out.fd())));
  out.flush();
  write_recipes(result, recipes, files, options);
  if (!options.json.empty()) out.write_json(verdict::json_document(result));
  if (!options.sarif.empty()) {
    const std::string root = options.source_root.empty() ? fs::current_path().string()
                                                         : fs::absolute(options.source_root).string();
    write_document(options.sarif, verdict::sarif_document(result, options.version, root));
  }
  if (program.stopped_by() != 0) return 128 + program.stopped_by();
  return result.overall() == "confirmed" ? 1 : 0;
}

int replay_command(const replay_options& options) {
  verdict::recipe_file again;
  try {
    again = verdict::read_recipe(content_of(options.recipe));
  } catch (const std::runtime_error& error) {
    if (dynamic_cast<const std::system_error*>(&error) != nullptr) throw;
    throw std::runtime_error(fmt::format("{}: {}", options.recipe.string(), error.what()));
  }
  if (fingerprint_of_file(again.watch) != again.watch_fingerprint)
    throw std::runtime_error(
        fmt::format("{}: {} has changed since: judge it again", options.recipe.string(), again.watch));
  const output_streams out(options.json);
  if (chdir(again.directory.c_str()) != 0)
    throw std::system_error(errno, std::generic_category(), again.directory);

  judged_run_settings how;
  how.arguments = again.arguments;
  how.standard_input = again.standard_input;
  judged_process program({.tsan = again.program, .watch = again.watch, .library_path = again.library_path},
                         how);
  unsigned trials = 0;
  unsigned caught = 0;
  verdict::watch_run kept;
  verdict::place_names names(program.modules());
  {
    progress_line progress(true);
    while (trials < options.trials && !program.stopped()) {
      progress.show(fmt::format("replay {} of {}, {} caught", trials + 1, options.trials, caught));
      verdict::watch_run run =
          verdict::replay(program, again.what, std::chrono::milliseconds(again.timeout_ms));
      if (program.stopped()) break;
      ++trials;
      if (!verdict::is_caught(again.what, run.found, names)) continue;
      ++caught;
      if (caught == 1) kept = std::move(run);
    }
  }
  fmt::print(out.text(), "{}", caught_text(again.what, kept.found, names));
  const interval ci = wilson95(caught, trials);
  fmt::print(out.text(), "caught in {} of {} replays (95 %: {:.1f} to {:.1f} %)\n", caught, trials,
             100 * ci.low, 100 * ci.high);
  out.flush();
  if (!options.json.empty())
    out.write_json(nlohmann::ordered_json({{"recipe", options.recipe.string()},
                                           {"report", again.verdict_id},
                                           {"trials", trials},
                                           {"caught", caught},
                                           {"ci95", {ci.low, ci.high}}})
                       .dump(2) +
                   "\n");
  if (program.stopped_by() != 0) return 128 + program.stopped_by();
  return caught == trials ? 0 : 1;
}

}  // namespace racelab::lab
