#include "lab/crash_command.hpp"

#include <fmt/format.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <memory>
#include <system_error>

#include "lab/crash_report.hpp"
#include "lab/document.hpp"
#include "lab/machine.hpp"
#include "lab/terminal.hpp"

namespace racelab::lab {
namespace {

using steady_clock = std::chrono::steady_clock;

/// One line on stderr that is written over again and again.
class progress_line {
 public:
  explicit progress_line(bool shown) : shown_(shown) {}
  progress_line(const progress_line&) = delete;
  progress_line& operator=(const progress_line&) = delete;
  ~progress_line() { clear(); }

  void show(const std::vector<crash_row>& rows, std::size_t row, unsigned trials_each) {
    if (!shown_) return;
    const crash_row& at = rows[row];
    const auto seconds =
        std::chrono::duration_cast<std::chrono::seconds>(steady_clock::now() - start_).count();
    std::string line =
        fmt::format("row {} of {}: {} over {}, --perturb {}, {} of {} trials, {} s", row + 1, rows.size(),
                    at.scenario, at.program.map, name(at.perturb), at.trials, trials_each, seconds);
    line.resize(std::min(line.size(), columns(STDERR_FILENO, 80) - 1));
    fmt::print(stderr, "\r\x1b[K{}", line);
    std::fflush(stderr);
  }

  void clear() const {
    if (!shown_) return;
    fmt::print(stderr, "\r\x1b[K");
    std::fflush(stderr);
  }

 private:
  bool shown_;
  steady_clock::time_point start_ = steady_clock::now();
};

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
  progress_line progress(isatty(STDERR_FILENO) != 0 && !options.verbose);
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
    progress.show(all, row, options.settings.trials);
  };
  return run_crash(std::move(rows), options.settings, observer);
}

void flush(std::FILE* stream, const char* stream_name) {
  if (std::fflush(stream) != 0 || std::ferror(stream) != 0) {
    throw std::system_error(errno, std::generic_category(), stream_name);
  }
}

}  // namespace

int crash_command(const crash_options& options) {
  const crash_settings& settings = options.settings;
  std::vector<crash_row> rows = plan_crash(
      select_maps(select_scenarios(read_catalogue(options.catalogue), options.scenarios), options.maps),
      settings);
  if (rows.empty()) throw catalogue_error(options.catalogue.string() + ": no scenarios");
  const bool json_to_stdout = options.json == "-";
  if (!options.json.empty() && !json_to_stdout) check_writable(options.json);

  std::FILE* const out = json_to_stdout ? stderr : stdout;
  const char* const out_name = json_to_stdout ? "stderr" : "stdout";
  const int out_fd = json_to_stdout ? STDERR_FILENO : STDOUT_FILENO;
  const bool coloured = wants_colour(out_fd);
  const machine where = this_machine();
  fmt::print(out, "{}", crash_heading(settings, where, rows.size()));
  flush(out, out_name);

  const crash_run run = run_and_watch(std::move(rows), options);

  if (options.trace_each) {
    for (const crash_row* row : one_row_of_each_scenario(run))
      fmt::print(out, "\n{}", kept_trial(*row, coloured));
  }
  fmt::print(out, "\n{}", crash_table(run, settings, coloured, columns(out_fd, 120)));
  if (options.traces) {
    for (const crash_row& row : run.rows) {
      if (row.kept) fmt::print(out, "\n{}", kept_trial(row, coloured));
    }
  } else if (const crash_row* row = closing_row(run)) {
    fmt::print(out, "\n{}", kept_trial(*row, coloured));
  }
  if (run.stopped_by != 0) fmt::print(out, "\ninterrupted: these are the trials that had ended\n");
  flush(out, out_name);

  // What was cut short proves nothing either way.
  std::vector<std::string> broken;
  if (run.stopped_by == 0) {
    std::optional<double> least_rate = options.least_rate;
    if (!least_rate && settings.perturb == perturbation::stall) least_rate = 0.99;
    broken = broken_expectations(run.rows, least_rate);
  }
  for (const std::string& line : broken) fmt::print(stderr, "racelab: {}\n", line);

  if (!options.json.empty()) {
    const std::string document = crash_document(run, settings, where, broken);
    if (json_to_stdout) {
      fmt::print("{}", document);
      flush(stdout, "stdout");
    } else {
      write_document(options.json, document);
    }
  }
  if (run.stopped_by != 0) return 128 + run.stopped_by;
  return broken.empty() ? 0 : 1;
}

}  // namespace racelab::lab
