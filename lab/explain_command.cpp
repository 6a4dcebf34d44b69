#include "lab/explain_command.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <iterator>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "lab/explain_core.hpp"
#include "lab/explain_report.hpp"
#include "lab/files.hpp"
#include "lab/output.hpp"
#include "lab/terminal.hpp"
#include "sanitizers/thread/log_parser.hpp"
#include "stacks/reading/reader.hpp"

namespace racelab::lab {
namespace {

namespace fs = std::filesystem;

std::vector<reading::frame> frames_of(const tsan::stack& stack) {
  std::vector<reading::frame> frames;
  for (const tsan::frame& each : stack.frames) {
    reading::frame one;
    one.function = printable(each.function);
    one.file = printable(each.file);
    one.line = each.line;
    one.module = printable(each.module);
    frames.push_back(std::move(one));
  }
  return frames;
}

/// ThreadSanitizer's reports of what is no crash: the accesses, and the threads they are of.
std::vector<reading::crash> races_in(std::string_view log) {
  std::vector<reading::crash> all;
  for (const tsan::report& report : tsan::reports_in(log)) {
    if (tsan::is_runtime_failure(report.kind) || report.kind == tsan::report_kind::deadly_signal) continue;
    reading::crash one;
    one.read_from = reading::form::sanitizer;
    one.line = report.first_line;
    one.headline = "ThreadSanitizer: " + report.title;
    const auto add = [&](std::string note, const tsan::stack& where, tsan::thread_number number) {
      reading::thread thread;
      thread.note = std::move(note);
      thread.frames = frames_of(where);
      if (number) thread.title = *number == 0 ? "main thread" : fmt::format("thread T{}", *number);
      for (const tsan::thread& each : report.threads)
        if (number == each.number) thread.created = frames_of(each.created);
      one.threads.push_back(std::move(thread));
    };
    for (const tsan::access& access : report.accesses)
      add(fmt::format("{}{} of {} bytes", access.atomic ? "atomic " : "", access.write ? "write" : "read",
                      access.size),
          access.where, access.thread);
    for (const tsan::acquisition& each : report.acquisitions)
      add(fmt::format("locks {} with {} held", each.mutex, each.held), each.where, each.thread);
    for (const tsan::noted_stack& each : report.stacks)
      add(each.note.empty() ? "here" : each.note, each.where, std::nullopt);
    all.push_back(std::move(one));
  }
  return all;
}

/// Finds sources as they are named, or below one of the roots, or the names' ends below one of them.
class source_files {
 public:
  explicit source_files(std::vector<fs::path> roots) : roots_(std::move(roots)) { roots_.emplace_back("."); }

  std::optional<std::vector<std::string>> operator()(const std::string& file) const {
    std::error_code error;
    for (const fs::path& root : roots_) {
      fs::path rest = file;
      while (!rest.empty()) {
        const fs::path at = rest.is_absolute() ? rest : root / rest;
        if (fs::is_regular_file(at, error)) return lines_of(at);
        auto next = rest.begin();
        ++next;
        if (next == rest.end()) break;
        fs::path shorter;
        for (; next != rest.end(); ++next) shorter /= *next;
        rest = shorter;
      }
    }
    return std::nullopt;
  }

 private:
  static std::vector<std::string> lines_of(const fs::path& file) {
    std::vector<std::string> lines;
    std::istringstream in(content_of(file));
    for (std::string line; std::getline(in, line);) lines.push_back(std::move(line));
    return lines;
  }

  std::vector<fs::path> roots_;
};

core_text read_input(const explain_options& options) {
  if (options.input == "-") return {.stacks = {std::istreambuf_iterator<char>(std::cin), {}}, .maps = {}};
  if (is_core_file(options.input)) return read_core(options.input, options.program);
  return {.stacks = content_of(options.input), .maps = {}};
}

}  // namespace

int explain_command(const explain_options& options) {
  const output_streams out(options.json);
  core_text input = read_input(options);
  std::vector<reading::crash> crashes = reading::crashes_in(input.stacks);
  for (reading::crash& race : races_in(input.stacks)) crashes.push_back(std::move(race));
  if (crashes.empty())
    throw std::runtime_error(fmt::format(
        "{}: it tells of no crash: neither of racelab, Go, a sanitizer, gdb nor glibc", options.input));
  std::ranges::sort(crashes, {}, &reading::crash::line);

  const source_files sources(options.source_roots);
  std::vector<explained_crash> all;
  for (reading::crash& each : crashes) {
    all.push_back(explain(std::move(each), sources));
    explained_crash& one = all.back();
    if (options.again && !one.null_way.empty() && one.null_way.back().source)
      one.again = watch_null(options.program, one.null_way.back().function);
  }
  all.front().maps = std::move(input.maps);
  for (std::size_t i = 0; i < all.size(); ++i)
    fmt::print(out.text(), "{}{}", i == 0 ? "" : "\n",
               explained_text(options.input, all[i], wants_colour(out.fd())));
  out.flush();
  if (!options.json.empty()) out.write_json(explained_document(options.input, all));
  return 0;
}

}  // namespace racelab::lab
