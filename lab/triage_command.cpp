#include "lab/triage_command.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "lab/document.hpp"
#include "lab/files.hpp"
#include "lab/progress.hpp"
#include "lab/terminal.hpp"
#include "lab/triage_report.hpp"
#include "lab/unique_fd.hpp"
#include "sanitizers/thread/triage.hpp"
#include "sanitizers/thread/triage_documents.hpp"

namespace racelab::lab {
namespace {

using steady_clock = std::chrono::steady_clock;

constexpr std::size_t piece_size = std::size_t{1} << 20U;

[[noreturn]] void fail(const std::string& name) {
  throw std::system_error(errno, std::generic_category(), name);
}

struct open_log {
  std::string name;
  unique_fd file;
  std::uint64_t size = 0;  // 0 for a pipe
};

// All logs are looked at before the first is read, so that a wrong name is told at once. Not opened: that would disturb a
// named pipe.
void check_readable(const std::string& name) {
  struct stat found{};
  if (name == "-") return;
  if (stat(name.c_str(), &found) != 0 || access(name.c_str(), R_OK) != 0) fail(name);
  if (S_ISDIR(found.st_mode)) {
    errno = EISDIR;
    fail(name);
  }
}

open_log open_named(const std::string& name) {
  if (name == "-") return {"stdin", unique_fd(dup(STDIN_FILENO)), 0};
  open_log opened{name, unique_fd(open(name.c_str(), O_RDONLY | O_CLOEXEC)), 0};
  struct stat found{};
  if (opened.file.get() < 0 || fstat(opened.file.get(), &found) != 0) fail(name);
  if (S_ISREG(found.st_mode)) opened.size = static_cast<std::uint64_t>(found.st_size);
  return opened;
}

// TSAN_OPTIONS=log_path=tsan.log makes each process write tsan.log.PID: given the first name, all of them.
std::vector<std::string> with_processes(const std::string& name) {
  std::error_code error;
  const std::filesystem::path path(name);
  if (name == "-" || std::filesystem::exists(path, error)) return {name};
  std::vector<std::string> found;
  for (const std::filesystem::path& each : logs_of_processes(path)) found.push_back(each.string());
  if (found.empty()) return {name};
  return found;
}

void read_log(const open_log& log, tsan::triage& into, progress_line& progress) {
  constexpr double mega = 1e6;
  const auto start = steady_clock::now();
  auto shown = start + std::chrono::seconds(2);  // nobody misses a line about what took less
  std::vector<char> piece(piece_size);
  std::uint64_t done = 0;
  into.begin_log(log.name);
  while (true) {
    const ssize_t size = read(log.file.get(), piece.data(), piece.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) fail(log.name);
    if (size == 0) break;
    into.feed({piece.data(), static_cast<std::size_t>(size)});
    done += static_cast<std::uint64_t>(size);
    if (const auto now = steady_clock::now(); now >= shown) {
      shown = now + std::chrono::milliseconds(200);
      const std::string of =
          log.size == 0 ? "" : fmt::format(" of {:.0f}", static_cast<double>(log.size) / mega);
      progress.show(fmt::format("{}: {:.0f}{} MB, {} reports", log.name, static_cast<double>(done) / mega, of,
                                into.result().logs.back().reports));
    }
  }
  into.end_log();
}

std::string form(const tsan::triage_result& result, const triage_options& options) {
  switch (options.format) {
    case triage_format::json:
      return tsan::json_document(result);
    case triage_format::sarif: {
      const std::string root =
          options.source_root.empty()
              ? std::filesystem::current_path().string()
              : std::filesystem::absolute(options.source_root).lexically_normal().string();
      return tsan::sarif_document(result, options.version, root);
    }
    case triage_format::text:
      break;
  }
  const bool to_stdout = options.output.empty() || options.output == "-";
  return triage_text(result, options.all_frames, to_stdout && wants_colour(STDOUT_FILENO));
}

}  // namespace

int triage_command(const triage_options& options) {
  const bool to_stdout = options.output.empty() || options.output == "-";
  if (!to_stdout) check_writable(options.output);
  std::vector<std::string> names;
  for (const std::string& given : options.logs) {
    for (std::string& each : with_processes(given)) names.push_back(std::move(each));
  }
  for (const std::string& name : names) check_readable(name);

  tsan::triage triage;
  {
    progress_line progress(true);
    for (const std::string& name : names) read_log(open_named(name), triage, progress);
  }
  const tsan::triage_result& result = triage.result();
  const std::string text = form(result, options);
  if (to_stdout) {
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0)
      fail("stdout");
  } else {
    write_document(options.output, text);
  }
  for (const tsan::place_complaint& each : result.complaints) {
    fmt::print(stderr, "racelab: {}\n",
               printable(fmt::format("{}:{}: {}", each.at.log, each.at.line, each.text)));
  }
  if (result.more_complaints != 0) {
    fmt::print(stderr, "racelab: {} more places that could not be read\n", result.more_complaints);
  }
  return options.fail_on_report && !result.findings.empty() ? 1 : 0;
}

}  // namespace racelab::lab
