#include "lab/judged_process.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>

#include "lab/perturbation.hpp"
#include "lab/trials.hpp"
#include "sanitizers/thread/log_parser.hpp"
#include "sanitizers/thread/sites.hpp"

namespace racelab::lab {
namespace {

namespace fs = std::filesystem;

fs::path found_program(const std::string& program) {
  if (program.find('/') == std::string::npos) {
    const fs::path found = found_in_path(program);
    if (found.empty()) throw std::runtime_error(program + ": no such program (./" + program + "?)");
    return fs::canonical(found);
  }
  std::error_code error;
  if (!fs::exists(program, error)) throw std::runtime_error(program + ": No such file or directory");
  if (!can_run(program)) throw std::runtime_error(program + ": not a program");
  return fs::canonical(program);
}

// Ours, by its name the same as gcc's: beside bin/, in the build as well as where racelab is installed.
fs::path gcc_library_folder() {
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  return self.parent_path().parent_path() / "lib" / "racelab" / "gcc";
}

bool has_gcc_library() {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(gcc_library_folder(), error))
    if (entry.path().filename().string().starts_with("libtsan.so")) return true;
  return false;
}

bool is_ours(std::string_view variable) {
  for (const std::string_view name :
       {"RACELAB_PERTURB=", "RACELAB_SEED=", "RACELAB_WATCH=", "RACELAB_WATCH_LOG=", "RACELAB_WATCH_PLAN=",
        "RACELAB_WATCH_SITES=", "RACELAB_WATCH_EVENTS=", "RACELAB_TRACEBACK=", "TSAN_OPTIONS=",
        "MALLOC_PERTURB_=", "GLIBC_TUNABLES="})
    if (variable.starts_with(name)) return true;
  return false;
}

std::vector<std::string> inherited_environment() {
  std::vector<std::string> all;
  for (char** each = environ; *each != nullptr; ++each)
    if (!is_ours(*each)) all.emplace_back(*each);
  return all;
}

void put_first(std::vector<std::string>& environment, const std::string& name, const std::string& folder) {
  for (std::string& each : environment) {
    if (!each.starts_with(name + "=")) continue;
    each = name + "=" + folder + ":" + each.substr(name.size() + 1);
    return;
  }
  environment.push_back(name + "=" + folder);
}

// Archer lies beside LLVM's OpenMP library, or, as Debian has one OpenMP library for all versions of LLVM, in another version's
// folder: their interface is OpenMP's own.
fs::path archer_beside(const fs::path& library) {
  std::error_code error;
  const fs::path folder = fs::canonical(library, error).parent_path();
  std::vector<fs::path> tools;
  for (const auto& each : fs::directory_iterator(folder.parent_path().parent_path(), error))
    if (each.path().filename().string().starts_with("llvm-"))
      tools.push_back(each.path() / "lib" / "libarcher.so");
  std::ranges::sort(tools, std::greater());
  tools.insert(tools.begin(), folder / "libarcher.so");
  const auto found =
      std::ranges::find_if(tools, [&](const fs::path& each) { return fs::exists(each, error); });
  return found == tools.end() ? fs::path() : *found;
}

// The runtime's own failures, before it had a log: limited address space, a kernel that it can't stand.
void check_tsan_worked(const fs::path& program, const verdict::ending& end) {
  for (const std::string_view failure :
       {"ERROR: ThreadSanitizer", "FATAL: ThreadSanitizer", "ThreadSanitizer: CHECK failed"}) {
    const std::size_t at = end.errors.find(failure);
    if (at == std::string::npos) continue;
    throw std::runtime_error(fmt::format("{}: it does not run under ThreadSanitizer: {}", program.string(),
                                         end.errors.substr(at, end.errors.find('\n', at) - at)));
  }
}

}  // namespace

bool needs_gcc_libtsan(const fs::path& program) {
  return content_of(program).find(std::string_view("libtsan.so.")) != std::string::npos;
}

judged_files find_judged_files(const std::string& program, const fs::path& watch) {
  judged_files files;
  files.tsan = found_program(program);
  const bool gcc = needs_gcc_libtsan(files.tsan);
  if (gcc) files.runtime = tsan::runtime::gcc;
  if (!watch.empty()) {
    files.watch =
        found_program(watch.string().find('/') == std::string::npos ? "./" + watch.string() : watch.string());
    return files;
  }
  const fs::path beside = files.tsan.string() + ".watch";
  std::error_code error;
  if (fs::exists(beside, error)) {
    files.watch = found_program(beside.string());
  } else if (gcc) {
    if (!has_gcc_library())
      throw std::runtime_error(
          fmt::format("{}: no libtsan.so of racelab's own, which a program built by gcc runs with",
                      gcc_library_folder().string()));
    files.watch = files.tsan;
    files.library_path = gcc_library_folder();
  } else {
    throw std::runtime_error(
        fmt::format("{}: there is no {} (build with CXX=racelab-c++ CC=racelab-cc, or name it by --watch)",
                    program, beside.filename().string()));
  }
  return files;
}

judged_process::judged_process(judged_files files, judged_run_settings settings)
    : files_(std::move(files)), settings_(std::move(settings)), modules_(files_.watch.string()) {}

trial_request judged_process::request_for(const fs::path& program, std::chrono::milliseconds timeout) const {
  trial_request request;
  request.program = program;
  request.arguments = settings_.arguments;
  request.environment = inherited_environment();
  request.standard_input = settings_.standard_input;
  request.timeout = settings_.timeout.value_or(timeout);
  request.output_limit = 1U << 20U;
  return request;
}

verdict::ending judged_process::run(trial_request request) {
  trial_result result;
  bool launched = false;
  run_trials(1, {.next = [&]() -> std::optional<trial_request> {
                   if (std::exchange(launched, true)) return std::nullopt;
                   return std::move(request);
                 },
                 .done = [&](std::size_t /*number*/, trial_result ended) { result = std::move(ended); },
                 .tick =
                     [&] {
                       if (tick_) tick_();
                     }});
  return {.exit_code = result.exit_code,
          .signal = result.signal,
          .timed_out = result.what == outcome::hang,
          .output = std::move(result.standard_output),
          .errors = std::move(result.standard_error),
          .milliseconds = result.milliseconds};
}

void judged_process::keep(const fs::path& file) const {
  if (settings_.logs.empty() || !fs::exists(file)) return;
  fs::copy_file(file, settings_.logs / file.filename(), fs::copy_options::overwrite_existing);
}

fs::path judged_process::archer() const {
  for (std::uint32_t i = 0; i < modules_.size(); ++i)
    if (const fs::path module = modules_.path(i); module.filename().string().starts_with("libomp.so"))
      return archer_beside(module);
  return {};
}

verdict::tsan_run judged_process::run_tsan(const verdict::tsan_request& wanted) {
  const std::string name = fmt::format("tsan{}", number_++);
  trial_request request = request_for(files_.tsan, wanted.timeout);
  request.memory_limit = 0;  // shadow memory is terabytes of address space
  std::vector<std::string> more = settings_.tsan_options;
  // With the module's whole path, and without a symboliser of its own: the frames are named here. Not where functions are to be
  // suppressed, which takes their names.
  const char* given = std::getenv("TSAN_OPTIONS");
  const std::string users = given != nullptr ? given : "";
  if (users.find("suppressions=") == std::string::npos)
    more.emplace_back("stack_trace_format='    #%n <null> <null> (%m+%o)'");
  else
    more.emplace_back("symbolize=1");
  more.insert(more.end(), wanted.options.begin(), wanted.options.end());
  std::string text = tsan::options_text(files_.runtime, (folder_ / name).string(), "", more);
  if (!users.empty()) text = users + ":" + text;
  request.environment.push_back("TSAN_OPTIONS=" + text);
  if (wanted.archer) {
    std::erase_if(request.environment, [](const std::string& each) { return each.starts_with("OMP_TOOL"); });
    request.environment.push_back("OMP_TOOL_LIBRARIES=" + archer().string());
  }

  verdict::tsan_run result;
  result.end = run(std::move(request));
  const std::vector<fs::path> logs = logs_of_processes(folder_ / name);
  std::string written;
  for (const fs::path& log : logs) {
    written += content_of(log);
    keep(log);
    fs::remove(log);
  }
  result.reports = tsan::reports_in(written);
  if (logs.empty()) check_tsan_worked(files_.tsan, result.end);
  return result;
}

verdict::watch_run judged_process::run_watch(const verdict::watch_request& request) {
  const std::string name = fmt::format("watch{}", number_++);
  verdict::evidence_files files{
      .log = folder_ / (name + ".log"), .sites = folder_ / (name + ".sites"), .events = {}};
  trial_request trial = request_for(files_.watch, request.timeout);
  trial.memory_limit = settings_.memory_limit;
  std::vector<std::string>& environment = trial.environment;
  environment.emplace_back("RACELAB_TRACEBACK=single");
  environment.push_back(fmt::format("RACELAB_PERTURB={}", request.built_in_policy ? "stall" : "none"));
  environment.push_back(fmt::format("RACELAB_SEED={}", request.seed));
  environment.push_back("RACELAB_WATCH_LOG=" + files.log.string());
  environment.push_back("RACELAB_WATCH_SITES=" + files.sites.string());
  if (request.marks_heap)
    for (std::string& each : telling_heap()) environment.push_back(std::move(each));
  if (!request.options.empty()) environment.push_back("RACELAB_WATCH=" + request.options);
  if (request.wants_events) {
    files.events = folder_ / (name + ".events");
    environment.push_back("RACELAB_WATCH_EVENTS=" + files.events.string());
  }
  const fs::path plan = folder_ / (name + ".plan");
  if (!request.plan.empty()) {
    std::ofstream out(plan);
    for (const std::string& line : request.plan) out << line << '\n';
    environment.push_back("RACELAB_WATCH_PLAN=" + plan.string());
  }
  if (!files_.library_path.empty()) put_first(environment, "LD_LIBRARY_PATH", files_.library_path.string());

  verdict::watch_run result;
  result.end = run(std::move(trial));
  result.found = verdict::read_evidence(files, modules_);
  for (const fs::path& each : {files.log, plan}) keep(each);
  std::error_code ignored;
  for (const fs::path& each : {files.log, files.sites, files.events, plan})
    if (!each.empty()) fs::remove(each, ignored);
  if (result.end.exit_code == 2 && result.end.errors.starts_with("racelab: "))
    throw std::runtime_error(fmt::format("{}: {}", files_.watch.string(),
                                         result.end.errors.substr(9, result.end.errors.find('\n') - 9)));
  return result;
}

// Every instrumented module calls it from a constructor, so its name stands in it.
bool judged_process::is_instrumented(const std::string& module) const {
  const auto [at, fresh] = instrumented_.try_emplace(module, true);
  std::error_code error;
  if (fresh && fs::is_regular_file(module, error))
    at->second = content_of(module).find(std::string_view("__tsan_init")) != std::string::npos;
  return at->second;
}

std::string fingerprint_of_file(const fs::path& file) { return tsan::fingerprint(content_of(file)); }

}  // namespace racelab::lab
