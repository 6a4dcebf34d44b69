#include "lab/crash_core.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>
#include <utility>

#include "lab/crash_report.hpp"
#include "lab/document.hpp"
#include "lab/files.hpp"
#include "lab/trials.hpp"

namespace racelab::lab {
namespace {

namespace fs = std::filesystem;

constexpr unsigned most_tries = 50;
// What is not expected to hang may take longer by this, for the core file is written in it.
constexpr std::chrono::seconds time_to_write{5};
// What gdb takes to load the program's libraries.
constexpr std::chrono::seconds time_to_start{1};

// Where a system call's first two arguments are, and the first eight characters of a line `corrupt: …` in memory.
#ifdef __x86_64__
constexpr auto first_argument = "$rdi";
constexpr auto second_argument = "$rsi";
#elif defined(__aarch64__)
constexpr auto first_argument = "$x0";
constexpr auto second_argument = "$x1";
#else
#error "racelab: which registers hold the arguments of a system call?"
#endif
constexpr auto corrupt_in_memory = "0x3a74707572726f63";

/// The only file of a folder in which a program died: whatever core_pattern calls it.
fs::path core_in(const fs::path& folder) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error))
    if (entry.file_size(error) > 0 && !error) return entry.path();
  return {};
}

/// The program of `run` under gdb: a file `core` is written where it fails. gdb has no time limit of its own: a thread of its
/// Python interrupts it, and what hangs with it.
trial_request under_gdb(const trial_request& run, const fs::path& gdb) {
  std::vector<std::string> commands = {
      "set pagination off",
      "set confirm off",
      "set print thread-events off",
      "set startup-with-shell off",
      "set disable-randomization off",
      // Detectors ask threads by signals; only those that end a program count.
      "handle all nostop noprint pass",
      "handle SIGSEGV SIGBUS SIGILL SIGFPE SIGABRT stop print",
      "handle SIGINT stop print nopass",
      "catch syscall write",
      fmt::format("condition 1 {} == 1 && *(unsigned long long*){} == {}", first_argument, second_argument,
                  corrupt_in_memory),
      "catch syscall exit_group",
      fmt::format("condition 2 {} != 0", first_argument),
  };
  for (const std::string& variable : run.environment) commands.push_back("set environment " + variable);
  const double seconds = std::chrono::duration<double>(run.timeout + time_to_start).count();
  commands.insert(
      commands.end(),
      {"python import os, signal, threading",
       fmt::format("python timer = threading.Timer({:.3f}, os.kill, (os.getpid(), signal.SIGINT))", seconds),
       "python timer.daemon = True; timer.start()", "run", "python timer.cancel()", "generate-core-file core",
       "kill",
       // Most of it is memory that malloc never touched.
       "shell fallocate --dig-holes core"});

  trial_request request = run;
  request.program = gdb;
  request.environment.clear();
  request.arguments = {"-nx", "-batch", "-iex", "set auto-load python-scripts off"};
  for (std::string& command : commands)
    request.arguments.insert(request.arguments.end(), {"-ex", std::move(command)});
  request.arguments.insert(request.arguments.end(), {"--args", run.program.string()});
  request.arguments.insert(request.arguments.end(), run.arguments.begin(), run.arguments.end());
  request.timeout = run.timeout + std::chrono::seconds(60);  // gdb's own, for all that it does
  request.abort_at_timeout = false;
  return request;
}

/// What stopped a program under gdb.
outcome stopped_as(std::string_view gdb_said) {
  const auto said = [&](std::string_view words) { return gdb_said.find(words) != std::string_view::npos; };
  if (said("received signal SIGINT")) return outcome::hang;
  if (said("received signal ")) return outcome::crash;
  return said("(call to syscall write)") ? outcome::corrupt : outcome::fatal;
}

/// Rows one after the other, each until it has its core file.
class core_keeper {
 public:
  core_keeper(const crash_run& run, const crash_settings& settings, fs::path folder,
              std::string_view core_pattern)
      : settings_(settings),
        folder_(std::move(folder)),
        obstacle_(core_obstacle(core_pattern)),
        gdb_(found_in_path("gdb")) {
    for (const crash_row& row : run.rows)
      if (!row.baseline && row.kept) rows_.push_back(&row);
    if (!rows_.empty()) begin();
  }

  std::optional<trial_request> next() {
    while (at_ < rows_.size()) {
      if (by_gdb() && gdb_.empty()) {
        kept_.why_none = why_gdb_ + ", and gdb, which could make one, is not installed";
        kept_.needs_gdb = true;
      } else if (tries_ == most_tries) {
        kept_.why_none = fmt::format("it did not fail in {} more trials that could have left one", tries_);
      } else {
        return try_again();
      }
      go_on();
    }
    return std::nullopt;
  }

  void done(const trial_result& result) {
    const fs::path core = core_in(place_->path());
    const bool by_gdb_now = by_gdb();
    if (!core.empty()) {
      kept_.made_by = by_gdb_now ? "gdb: " + why_gdb_ : "the kernel";
      kept_.what = by_gdb_now ? stopped_as(result.standard_output) : result.what;
      keep(core, result);
      go_on();
      return;
    }
    if (by_gdb_now || !is_failure(result.what)) return;
    if (result.what == outcome::corrupt || result.what == outcome::fatal) {
      why_gdb_ = "a failing run exited, and the kernel makes core files only of what a signal ends";
    } else {
      why_gdb_ = "the kernel left none, though its limit was lifted as far as this process may";
    }
  }

  [[nodiscard]] std::string name() const { return at_ < rows_.size() ? kept_.name : ""; }
  std::vector<kept_core> take() { return std::move(all_); }

 private:
  [[nodiscard]] bool by_gdb() const { return !why_gdb_.empty(); }

  void begin() {
    const crash_row& row = *rows_[at_];
    kept_ = {};
    kept_.name = row.scenario + "." + row.program.map;
    tries_ = 0;
    why_gdb_ = obstacle_;
  }

  void go_on() {
    place_.reset();
    all_.push_back(std::move(kept_));
    if (++at_ < rows_.size()) begin();
  }

  trial_request try_again() {
    const crash_row& row = *rows_[at_];
    // The very seed that failed first.
    const std::uint64_t seed = settings_.one_seed.value_or(
        tries_ == 0 && row.kept->seed ? *row.kept->seed
                                      : trial_seed(settings_.seed, row.scenario, row.program.map, tries_));
    ++tries_;
    request_ = perturbed_trial(row.program, row.perturb, seed, settings_.traceback, row.timeout);
    kept_.program = request_.program;
    kept_.seed = has_seed(row.perturb) ? std::optional(seed) : std::nullopt;
    if (row.kept->what != outcome::hang) request_.timeout += time_to_write;
    place_.emplace(folder_);
    request_.working_folder = place_->path();
    if (by_gdb()) return under_gdb(request_, gdb_);
    request_.core_file = true;
    request_.abort_at_timeout = true;
    return request_;
  }

  void keep(const fs::path& core, const trial_result& result) {
    kept_.core = folder_ / (kept_.name + ".core");
    fs::rename(core, kept_.core);
    const crash_row& row = *rows_[at_];
    std::string text = fmt::format(
        "{} over {}: {}\nprogram: {}\ncore: {}\nopen: gdb {} {}\nmade by: {}\nagain: {}\nenvironment:\n",
        row.scenario, row.program.map, racelab::lab::name(kept_.what), kept_.program.string(),
        kept_.core.string(), kept_.program.string(), kept_.core.string(), kept_.made_by,
        repeating_command(row, kept_.seed));
    for (const std::string& variable : request_.environment) text += "  " + variable + "\n";
    text += "\n" + result.standard_output + result.standard_error;
    write_document(folder_ / (kept_.name + ".txt"), text);
  }

  const crash_settings& settings_;
  fs::path folder_;
  std::string obstacle_;
  fs::path gdb_;
  std::vector<const crash_row*> rows_;
  std::size_t at_ = 0;
  kept_core kept_;  // of rows_[at_]
  unsigned tries_ = 0;
  std::string why_gdb_;    // empty: the kernel may write it
  trial_request request_;  // the program's own
  std::optional<temporary_folder> place_;
  std::vector<kept_core> all_;
};

}  // namespace

std::string kernel_core_pattern() {
  try {
    return content_of("/proc/sys/kernel/core_pattern");
  } catch (const std::system_error&) {
    return "";
  }
}

std::string core_obstacle(std::string_view core_pattern) {
  while (core_pattern.ends_with('\n')) core_pattern.remove_suffix(1);
  if (core_pattern.starts_with('|')) {
    return fmt::format("/proc/sys/kernel/core_pattern hands core files to a program ({})", core_pattern);
  }
  if (core_pattern.find('/') != std::string_view::npos) {
    return fmt::format("/proc/sys/kernel/core_pattern puts core files elsewhere ({})", core_pattern);
  }
  return "";
}

core_run keep_cores(const crash_run& run, const crash_settings& settings, const fs::path& folder,
                    std::string_view core_pattern, const std::function<void(const std::string& name)>& tick) {
  fs::create_directories(folder);
  core_keeper keeper(run, settings, fs::canonical(folder), core_pattern);
  core_run result;
  result.stopped_by =
      run_trials(1, {.next = [&] { return keeper.next(); },
                     .done = [&](std::size_t /*number*/, const trial_result& ended) { keeper.done(ended); },
                     .tick = [&] { tick(keeper.name()); }});
  result.cores = keeper.take();
  return result;
}

std::string core_lines(const core_run& run) {
  std::string text;
  for (const kept_core& each : run.cores) {
    if (each.core.empty()) {
      text += fmt::format("no core of {}: {}\n", each.name, each.why_none);
    } else {
      text += fmt::format("core of {} ({}), made by {}\n  gdb {} {}\n", each.name, name(each.what),
                          each.made_by, each.program.string(), each.core.string());
    }
  }
  return text;
}

}  // namespace racelab::lab
