// The `racelab` command: what its arguments mean. Each subcommand has a file of its own.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <random>
#include <string>
#include <vector>

#include "lab/classroom_command.hpp"
#include "lab/crash_command.hpp"
#include "lab/explain_command.hpp"
#include "lab/judge_command.hpp"
#include "lab/list_command.hpp"
#include "lab/score_command.hpp"
#include "lab/serve_command.hpp"
#include "lab/triage_command.hpp"
#include "lab/tsan_command.hpp"
#include "serve/arguments.hpp"
#include "stacks/processors.hpp"

namespace {

using namespace racelab::lab;

/// The catalogue beside bin/, where the build puts it, unless RACELAB_CATALOGUE names another.
std::filesystem::path usual_catalogue() {
  if (const char* named = std::getenv("RACELAB_CATALOGUE"); named != nullptr && *named != '\0') return named;
  std::error_code error;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  return self.parent_path().parent_path() / "catalogue.json";
}

/// CLI11 takes "-1" for an unsigned number and a number that is too large for the largest one.
std::string not_an_unsigned(const std::string& text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole ? "" : fmt::format("'{}' is not a number from 0 to 2^64-1", text);
}

void add_catalogue(CLI::App& command, std::filesystem::path& catalogue) {
  catalogue = usual_catalogue();
  command
      .add_option("--catalogue", catalogue,
                  "Where the scenarios are listed (default: RACELAB_CATALOGUE, or beside bin/)")
      ->type_name("FILE");
}

void add_limits(CLI::App& command, unsigned& jobs, const char* jobs_help, double& timeout_seconds,
                const char* timeout_help) {
  command.add_option("--jobs", jobs, jobs_help)->type_name("N")->check(CLI::Range(1U, 1024U));
  command.add_option("--timeout", timeout_seconds, timeout_help)
      ->type_name("S")
      ->check(CLI::Range(0.001, 86'400.0));
}

constexpr auto list_examples =
    "Examples:\n"
    "  racelab list                  what there is\n"
    "  racelab list corpus           the labelled programs, and what is true of them\n"
    "  racelab list --json -         the same as JSON\n";

constexpr auto crash_examples =
    "Examples:\n"
    "  racelab crash                                         everything, 100 trials each\n"
    "  racelab crash crash_concurrent_delete --map hmap      one program\n"
    "  racelab crash 'crash_*' hang_ --trials 20 --traces    a glob, the start of names; every kept stack\n"
    "  racelab crash crash_concurrent_delete --perturb none  as it fails by itself\n"
    "  racelab crash crash_concurrent_delete --map hmap --trial-seed 1234567890\n"
    "                                                        one trial with the choices of that one\n"
    "  racelab crash crash_find_grow --trials 1 --core cores  core files, for gdb PROGRAM CORE\n"
    "Exit codes: 0 all as expected, 1 an expectation failed, 2 wrong usage or unreadable input, 128 + N\n"
    "stopped by signal N.\n"
    "Expected are: crash_, corrupt_, hang_ and misuse_ fail at --expect-rate, race_ and norace_ never fail. "
    "A rate\n"
    "is too low if the whole of its 95 % interval is.\n"
    "RACELAB_TRACEBACK=none|single|all|system says how much the kept stacks show; NO_COLOR turns colours "
    "off.\n";

constexpr auto tsan_examples =
    "Examples:\n"
    "  racelab tsan                                     every scenario over every map and remedy, 20 trials "
    "each\n"
    "  racelab tsan --stall-trials 200                  the remedies also under stalls: make check-tsan\n"
    "  racelab tsan crash_find_delete --fix sync_map    one program\n"
    "  racelab tsan --fix none                          only the maps that race\n"
    "  racelab tsan crash_copy_write --option history_size=7 --option report_atomic_races=0\n"
    "Exit codes: 0 all as expected, 1 a surprise, 2 wrong usage or unreadable input, 128 + N stopped by "
    "signal N.\n"
    "Expected are: over a racy map a report of a pair that the scenario names, in at least half of the "
    "trials,\n"
    "and no other report; over a remedy no report and, under stalls, an intact map and no caught pair.\n"
    "sanitizers/thread/options.def has the options that are set, each with its reason.\n";

struct tsan_arguments {
  tsan_options options;
  double timeout_seconds = 0;
};

constexpr auto triage_examples =
    "Examples:\n"
    "  racelab triage ci.log                           each bug once, both stacks\n"
    "  ./program 2>&1 | racelab triage -               from a pipe\n"
    "  racelab triage tsan.log                         with TSAN_OPTIONS=log_path=tsan.log: all "
    "tsan.log.PID\n"
    "  racelab triage --format json *.log | jq '.findings[].sites'\n"
    "  racelab triage --format sarif -o races.sarif --fail-on-report ci.log\n"
    "Exit codes: 0 done, 1 there is a report and --fail-on-report, 2 wrong usage or unreadable input.\n";

struct crash_arguments {
  crash_options options;
  std::string perturb = "stall";
  double timeout_seconds = 0;
  std::uint64_t one_seed = 0;
  double least_rate = 0;
  bool no_baseline = false;
};

struct triage_arguments {
  triage_options options;
  std::string format = "text";
};

void add_list(CLI::App& app, list_options& options) {
  CLI::App& command = *app.add_subcommand("list", "Show the scenarios, their maps and stories");
  command
      .add_option("what", options.what, "scenarios, or corpus: the labelled programs (default: scenarios)")
      ->type_name("WHAT")
      ->check(CLI::IsMember({"scenarios", "corpus"}));
  command.add_option("--json", options.json, "Write the list as JSON; - for stdout")->type_name("FILE");
  add_catalogue(command, options.catalogue);
  command.footer(list_examples);
}

void add_crash(CLI::App& app, crash_arguments& arguments) {
  CLI::App& command =
      *app.add_subcommand("crash", "Run scenarios in many trials and show how often they fail");
  crash_options& options = arguments.options;
  crash_settings& settings = options.settings;
  settings.jobs = racelab::stacks::usable_processors();

  command.add_option("scenario", options.scenarios, "Names, globs or starts of names (default: all)")
      ->type_name("SCENARIO");
  command.add_option("--map", options.maps, "Only over this map (default: all of a scenario's)")
      ->type_name("NAME")
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command.add_option("--trials", settings.trials, "Trials for each program (default: 100)")
      ->type_name("N")
      ->check(CLI::Range(1U, 10'000'000U));
  command.add_option("--perturb", arguments.perturb, "How schedules are disturbed (default: stall)")
      ->type_name("HOW")
      ->check(CLI::IsMember({"stall", "none", "yield", "one-cpu", "heap"}));
  command.add_flag("--no-baseline", arguments.no_baseline, "Without the trials with --perturb none beside");
  add_limits(
      command, settings.jobs, "Trials at a time (default: one for each processor; unperturbed ones alone)",
      arguments.timeout_seconds, "Seconds until a trial counts as hung (default: the scenario's, or 10)");
  CLI::Option* seed =
      command.add_option("--seed", settings.seed, "Repeats a run's choices (default: random)")
          ->type_name("N")
          ->check(not_an_unsigned);
  command
      .add_option("--trial-seed", arguments.one_seed,
                  "The seed of a failing trial, to repeat that one: one trial, no baseline")
      ->type_name("N")
      ->check(not_an_unsigned)
      ->excludes(seed);
  command
      .add_option("--expect-rate", arguments.least_rate,
                  "The failure rate to expect, 0 to 1 (default: 0.99 for stall, otherwise none)")
      ->type_name("R")
      ->check(CLI::Range(0.0, 1.0));
  command.add_flag("--traces", options.traces, "Show the failing trial that each row kept, not one alone");
  command.add_flag("--trace-each", options.trace_each,
                   "Show a failing trial of each scenario before the table, with its stack if it has one");
  command
      .add_option("--core", options.core,
                  "Then run what failed again, and keep a core file of it there: SCENARIO.MAP.core")
      ->type_name("DIR");
  command
      .add_option("--json", options.json,
                  "Write the results as JSON; - for stdout (the table goes to stderr)")
      ->type_name("FILE");
  add_catalogue(command, options.catalogue);
  command.add_flag("-v,--verbose", options.verbose, "Tell of every trial on stderr");
  command.footer(crash_examples);
}

int run_crash_command(const CLI::App& command, crash_arguments& arguments) {
  crash_settings& settings = arguments.options.settings;
  settings.perturb = perturbation_named(arguments.perturb).value();
  if (command.count("--jobs") != 0) settings.unperturbed_jobs = settings.jobs;
  if (command.count("--timeout") != 0) {
    settings.timeout = std::chrono::milliseconds(static_cast<std::int64_t>(arguments.timeout_seconds * 1000));
  }
  if (command.count("--expect-rate") != 0) arguments.options.least_rate = arguments.least_rate;
  if (command.count("--seed") == 0) settings.seed = std::random_device{}();
  settings.baseline = !arguments.no_baseline && command.count("--trial-seed") == 0;
  if (command.count("--trial-seed") != 0) {
    settings.one_seed = arguments.one_seed;
    if (command.count("--trials") == 0) settings.trials = 1;
  }
  if (const char* level = std::getenv("RACELAB_TRACEBACK"); level != nullptr && *level != '\0') {
    settings.traceback = level;
  }
  return crash_command(arguments.options);
}

/// NAME=VALUE, with nothing that TSAN_OPTIONS would take for a separator.
std::string not_an_option(const std::string& text) {
  const std::size_t equals = text.find('=');
  const bool named = equals != std::string::npos && equals != 0;
  return named && text.find_first_of(" ,:\n\t'\"") == std::string::npos
             ? ""
             : fmt::format("'{}' is not NAME=VALUE without spaces, commas, colons and quotes", text);
}

void add_tsan(CLI::App& app, tsan_arguments& arguments) {
  CLI::App& command =
      *app.add_subcommand("tsan", "Run scenarios under ThreadSanitizer, over racy maps and over remedies");
  tsan_options& options = arguments.options;
  tsan_settings& settings = options.settings;
  settings.jobs = racelab::stacks::usable_processors();
  const auto every_one = [](CLI::Option* option) {
    option->allow_extra_args(false)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  };

  command.add_option("scenario", options.scenarios, "Names, globs or starts of names (default: all)")
      ->type_name("SCENARIO");
  every_one(command
                .add_option("--fix", settings.fixes,
                            "Only over this remedy; all: only over remedies; none: only over racy maps")
                ->type_name("NAME"));
  command.add_option("--trials", settings.trials, "Trials of each program (default: 20)")
      ->type_name("N")
      ->check(CLI::Range(1U, 1'000'000U));
  command
      .add_option("--stall-trials", settings.stall_trials,
                  "Trials of each remedy's program under the watchpoint runtime (default: 0)")
      ->type_name("N")
      ->check(CLI::Range(0U, 1'000'000U));
  command.add_option("--runtime", options.runtime, "llvm or gcc (default: that of the catalogue)")
      ->type_name("WHOSE")
      ->check(CLI::IsMember({"llvm", "gcc"}));
  every_one(command.add_option("--option", settings.options, "One more of TSAN_OPTIONS, after the lab's own")
                ->type_name("NAME=VALUE")
                ->check(not_an_option));
  add_limits(command, settings.jobs, "Trials at a time (default: one for each processor)",
             arguments.timeout_seconds,
             "Seconds until a trial counts as hung (default: 3 over a racy map, otherwise ten times the\n"
             "scenario's, or 20)");
  command.add_option("--seed", settings.seed, "Repeats the stalls' choices (default: random)")
      ->type_name("N")
      ->check(not_an_unsigned);
  command
      .add_option("--json", options.json,
                  "Write the results as JSON; - for stdout (the matrix goes to stderr)")
      ->type_name("FILE");
  add_catalogue(command, options.catalogue);
  command.add_flag("-v,--verbose", options.verbose, "Tell what each program did on stderr");
  command.footer(tsan_examples);
}

int run_tsan_command(const CLI::App& command, tsan_arguments& arguments) {
  tsan_settings& settings = arguments.options.settings;
  if (command.count("--timeout") != 0)
    settings.timeout = std::chrono::milliseconds(static_cast<std::int64_t>(arguments.timeout_seconds * 1000));
  if (command.count("--seed") == 0) settings.seed = std::random_device{}();
  return tsan_command(arguments.options);
}

void add_triage(CLI::App& app, triage_arguments& arguments) {
  CLI::App& command =
      *app.add_subcommand("triage", "Read ThreadSanitizer's reports out of logs, each bug once");
  triage_options& options = arguments.options;
  options.version = RACELAB_VERSION;
  command.add_option("log", options.logs, "Logs as they come from a program or a CI job; - for stdin")
      ->type_name("LOG")
      ->required();
  command.add_option("--format", arguments.format, "text, json or sarif (default: text)")
      ->type_name("FORM")
      ->check(CLI::IsMember({"text", "json", "sarif"}));
  command.add_option("-o,--output", options.output, "Write there, not to stdout")->type_name("FILE");
  command
      .add_option("--source-root", options.source_root,
                  "What files in SARIF are given relative to (default: the working directory)")
      ->type_name("DIR");
  command.add_flag("--all-frames", options.all_frames, "In text, frames of libraries and runtimes too");
  command.add_flag("--fail-on-report", options.fail_on_report, "Exit code 1 if there is any report");
  command.footer(triage_examples);
}

int run_triage_command(triage_arguments& arguments) {
  if (arguments.format == "json") arguments.options.format = triage_format::json;
  if (arguments.format == "sarif") arguments.options.format = triage_format::sarif;
  return triage_command(arguments.options);
}

constexpr auto score_examples =
    "Examples:\n"
    "  racelab score --json score.json               every detector over the whole corpus: make score\n"
    "  racelab score race_ --detectors tsan judge --budget 10\n"
    "Exit codes: 0 done, 1 judge or the watchpoint runtime caught something in a correct program, 2 wrong "
    "usage or "
    "unreadable\n"
    "input, 128 + N stopped by signal N.\n";

void add_score(CLI::App& app, score_options& options) {
  CLI::App& command =
      *app.add_subcommand("score", "Run every detector over the labelled corpus and count who is right");
  command.add_option("program", options.programs, "Names, globs or starts of names (default: all)")
      ->type_name("PROGRAM");
  std::vector<std::string> names;
  for (const detector each : all_detectors()) names.emplace_back(name(each));
  command.add_option("--detectors", options.detectors, "Only these (default: all)")
      ->type_name("NAME")
      ->check(CLI::IsMember(names));
  command
      .add_option("--runs", options.settings.runs,
                  "Runs of a program under each detector but judge (default: 5)")
      ->type_name("N")
      ->check(CLI::Range(1U, 10'000U));
  command
      .add_option("--jobs", options.settings.jobs,
                  "Programs at a time (default: 1, for the sake of the times)")
      ->type_name("N")
      ->check(CLI::Range(1U, 1024U));
  command
      .add_option("--budget", options.settings.budget_seconds,
                  "Seconds that judge may take for a program (default: 30)")
      ->type_name("S")
      ->check(CLI::Range(0.1, 86'400.0));
  command.add_option("--seed", options.settings.seed, "Repeats the stalls' choices (default: random)")
      ->type_name("N")
      ->check(not_an_unsigned);
  command
      .add_option("--json", options.json, "Write the scores as JSON; - for stdout (the text goes to stderr)")
      ->type_name("FILE");
  add_catalogue(command, options.catalogue);
  command.footer(score_examples);
}

int run_score_command(const CLI::App& command, score_options& options) {
  if (command.count("--seed") == 0) options.settings.seed = std::random_device{}();
  return score_command(options);
}

constexpr auto judge_examples =
    "Examples:\n"
    "  racelab judge -- ./program --port 0            runs it under ThreadSanitizer, then judges what it "
    "reported\n"
    "  racelab judge --report ci.log -- ./program     judges the reports of a log\n"
    "  racelab judge --budget 120 --recipe race.json --sarif race.sarif -- ./program\n"
    "  racelab replay race.json --trials 100          the catch again\n"
    "PROGRAM was built with racelab-c++ (or racelab-cc), which links PROGRAM and PROGRAM.watch, or with\n"
    "g++ -fsanitize=thread.\n"
    "Verdicts: confirmed (both threads were caught at the same bytes at the same time), ordering-only (the "
    "order hangs on\n"
    "a weak atomic or a fence), likely-false (a hidden order was found, and its cause), unconfirmed (none of "
    "these;\n"
    "it never means false).\n"
    "Exit codes: 0 done, 1 a report is confirmed, 2 wrong usage or unreadable input, 128 + N stopped by "
    "signal N.\n";

struct judge_arguments {
  judge_options options;
  std::vector<std::string> command_line;
  double timeout_seconds = 0;
  double memory_gigabytes = 0;
};

void add_judge(CLI::App& app, judge_arguments& arguments) {
  CLI::App& command =
      *app.add_subcommand("judge", "Say whether the races that are reported in a program are real");
  judge_options& options = arguments.options;
  options.version = RACELAB_VERSION;
  command.add_option("program", arguments.command_line, "The program and its arguments, after --")
      ->type_name("PROGRAM [ARG...]")
      ->required();
  command
      .add_option("--report", options.reports,
                  "A log with ThreadSanitizer's reports (default: the program is run under ThreadSanitizer)")
      ->type_name("LOG")
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command.add_option("--budget", options.budget_seconds, "Seconds to spend (default: 30)")
      ->type_name("S")
      ->check(CLI::Range(0.1, 86'400.0));
  command
      .add_option("--watch", options.watch,
                  "The program linked with the watchpoint runtime (default: PROGRAM.watch)")
      ->type_name("FILE");
  command.add_option("--stdin", options.run.standard_input, "What each run reads (default: nothing)")
      ->type_name("FILE");
  command
      .add_option("--timeout", arguments.timeout_seconds,
                  "Seconds until a run is ended (default: ten times an undisturbed one's)")
      ->type_name("S")
      ->check(CLI::Range(0.001, 86'400.0));
  command
      .add_option("--memory", arguments.memory_gigabytes,
                  "Address space of a watched run, in GB (default: no limit)")
      ->type_name("GB")
      ->check(CLI::Range(0.01, 1e6));
  command.add_option("--option", options.run.tsan_options, "One more of TSAN_OPTIONS, after the lab's own")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->check(not_an_option);
  command.add_option("--seed", options.seed, "Repeats the judge's choices (default: random)")
      ->type_name("N")
      ->check(not_an_unsigned);
  command
      .add_option("--json", options.json,
                  "Write the verdicts as JSON; - for stdout (the text goes to stderr)")
      ->type_name("FILE");
  command.add_option("--sarif", options.sarif, "Write them as SARIF 2.1.0")->type_name("FILE");
  command
      .add_option("--recipe", options.recipe,
                  "Write what repeats a catch; of the second and later ones FILE.2 and so on")
      ->type_name("FILE");
  command
      .add_option("--logs", options.run.logs,
                  "A folder that keeps what the watched runs log, and their plans (default: nothing is kept)")
      ->type_name("DIR")
      ->check(CLI::ExistingDirectory);
  command
      .add_option("--source-root", options.source_root,
                  "What files in SARIF are given relative to (default: the working directory)")
      ->type_name("DIR");
  command.footer(judge_examples);
}

int run_judge_command(const CLI::App& command, judge_arguments& arguments) {
  judge_options& options = arguments.options;
  options.program = arguments.command_line.front();
  options.run.arguments.assign(arguments.command_line.begin() + 1, arguments.command_line.end());
  if (command.count("--timeout") != 0)
    options.run.timeout =
        std::chrono::milliseconds(static_cast<std::int64_t>(arguments.timeout_seconds * 1000));
  if (command.count("--memory") != 0)
    options.run.memory_limit = static_cast<std::uint64_t>(arguments.memory_gigabytes * 1e9);
  if (command.count("--seed") == 0) options.seed = std::random_device{}();
  return judge_command(options);
}

void add_replay(CLI::App& app, replay_options& options) {
  CLI::App& command = *app.add_subcommand("replay", "Repeat a catch by the recipe that racelab judge wrote");
  command.add_option("recipe", options.recipe, "The recipe")->type_name("FILE")->required();
  command.add_option("--trials", options.trials, "How often (default: 1)")
      ->type_name("N")
      ->check(CLI::Range(1U, 1'000'000U));
  command.add_option("--json", options.json, "Write the count as JSON; - for stdout")->type_name("FILE");
  command.footer(
      "Example:\n  racelab replay race.json --trials 100\n"
      "Exit codes: 0 caught every time, 1 not, 2 wrong usage or unreadable input, 128 + N stopped by signal "
      "N.\n");
}

constexpr auto explain_examples =
    "Examples:\n"
    "  racelab explain crash.log                       of racelab, Go, a sanitizer, gdb or glibc\n"
    "  ./program 2>&1 | racelab explain -              from a pipe\n"
    "  racelab explain cores/x.core --program ./x      a core file, read by gdb\n"
    "  racelab explain crash.log --program ./x --again runs it under gdb, to see who returned the null\n"
    "Exit codes: 0 done, 2 wrong usage, unreadable input, or one that tells of no crash.\n";

void add_explain(CLI::App& app, explain_options& options) {
  CLI::App& command = *app.add_subcommand("explain", "Annotate a crash frame by frame");
  command.add_option("input", options.input, "A log or a core file; - for stdin")
      ->type_name("LOG|CORE")
      ->required();
  CLI::Option* program =
      command
          .add_option("--program", options.program, "The program (default: the one that a core file names)")
          ->type_name("FILE");
  command
      .add_flag("--again", options.again,
                "Run the program under gdb until it dies, and look at who returns null")
      ->needs(program);
  command
      .add_option("--source-root", options.source_roots,
                  "Where sources are (default: as they are named, and below the working directory)")
      ->type_name("DIR")
      ->check(CLI::ExistingDirectory)
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command.add_option("--json", options.json, "Write it as JSON; - for stdout (the text goes to stderr)")
      ->type_name("FILE");
  command.footer(explain_examples);
}

constexpr auto classroom_examples =
    "Examples:\n"
    "  racelab classroom                      all lessons, step by step: enter goes on, q quits\n"
    "  racelab classroom --lesson 4           one of them; also by name\n"
    "  racelab classroom --list               their names\n"
    "  racelab classroom --auto               without anybody there: every live step is held to its lesson\n"
    "Exit codes: 0 done, 1 a live step came out otherwise than its lesson says, 2 wrong usage or unreadable "
    "input,\n"
    "128 + N stopped by signal N.\n"
    "docs/classroom.md is for the teacher.\n";

void add_classroom(CLI::App& app, classroom_options& options) {
  CLI::App& command = *app.add_subcommand("classroom", "Walk a class through races, step by step");
  options.sources = RACELAB_SOURCES;
  options.seed = std::random_device{}();
  command.add_flag("--auto", options.automatic, "Go on without waiting for enter");
  command.add_option("--lesson", options.lessons, "Only this lesson: its number or its name (default: all)")
      ->type_name("N|NAME")
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command.add_flag("--list", options.list, "Show the lessons and how many minutes each takes");
  command.add_option("--seed", options.seed, "Repeats the stalls' choices (default: random)")
      ->type_name("N")
      ->check(not_an_unsigned);
  add_catalogue(command, options.catalogue);
  command.footer(classroom_examples);
}

void add_serve(CLI::App& app, racelab::serve::arguments& arguments) {
  racelab::serve::add_arguments(*app.add_subcommand("serve", "Serve a map over HTTP"), arguments);
}

int run(int argc, char** argv) {
  CLI::App app("racelab: a lab for the data race on a map.", "racelab");
  app.set_version_flag("--version", "racelab " RACELAB_VERSION);
  app.require_subcommand(1);
  app.footer("racelab COMMAND --help tells of each.");
  list_options list;
  crash_arguments crash;
  tsan_arguments tsan;
  triage_arguments triage;
  judge_arguments judge;
  replay_options replay;
  score_options score;
  classroom_options classroom;
  explain_options explaining;
  racelab::serve::arguments serve;
  add_list(app, list);
  add_crash(app, crash);
  add_tsan(app, tsan);
  add_triage(app, triage);
  add_judge(app, judge);
  add_replay(app, replay);
  add_score(app, score);
  add_classroom(app, classroom);
  add_explain(app, explaining);
  add_serve(app, serve);
  try {
    app.parse(argc, argv);
    if (app.got_subcommand("list")) return list_command(list);
    if (app.got_subcommand("tsan")) return run_tsan_command(*app.get_subcommand("tsan"), tsan);
    if (app.got_subcommand("triage")) return run_triage_command(triage);
    if (app.got_subcommand("judge")) return run_judge_command(*app.get_subcommand("judge"), judge);
    if (app.got_subcommand("replay")) return replay_command(replay);
    if (app.got_subcommand("score")) return run_score_command(*app.get_subcommand("score"), score);
    if (app.got_subcommand("explain")) return explain_command(explaining);
    // They are checked; the server reads them itself.
    if (app.got_subcommand("serve")) serve_command({argv + 2, argv + argc});
    if (app.got_subcommand("classroom")) return classroom_command(classroom);
    return run_crash_command(*app.get_subcommand("crash"), crash);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    // CLI11 only says that a command is missing when what stands in its place is none.
    const std::vector<std::string> unknown =
        app.get_subcommands().empty() ? app.remaining() : std::vector<std::string>();
    const std::string what = unknown.empty() ? error.what() : fmt::format("no command '{}'", unknown.front());
    fmt::print(stderr, "racelab: {} (racelab --help)\n", what);
    return 2;
  }
}

}  // namespace

int main(int argc, char** argv) {
  // A closed stdin, stdout or stderr would give its number to a pipe, and a program would get that for its
  // own.
  while (true) {
    const int fd = open("/dev/null", O_RDWR);
    if (fd > STDERR_FILENO) close(fd);
    if (fd < 0 || fd > STDERR_FILENO) break;
  }
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "racelab: {}\n", error.what());
    return 2;
  }
}
