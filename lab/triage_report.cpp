#include "lab/triage_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "lab/terminal.hpp"
#include "sanitizers/thread/sites.hpp"
#include "stacks/symbolise.hpp"
#include "stacks/text.hpp"

namespace racelab::lab {
namespace {

using tsan::frame;
using tsan::report;
using tsan::stack;

using stacks::plural;

class block {
 public:
  block(const report& shown, bool all_frames, bool coloured)
      : shown_(&shown), all_frames_(all_frames), coloured_(coloured) {}

  void part(const std::string& what, const stack& where) {
    text_ += "\n";
    if (!what.empty()) text_ += paint(printable(what) + ":", style::bold, coloured_) + "\n";
    if (!where.restored) text_ += "[failed to restore the stack]\n";
    const bool none = std::ranges::all_of(where.frames, tsan::is_library_frame);
    for (const frame& each : where.frames) {
      if (all_frames_ || none || !tsan::is_library_frame(each)) two_lines(each);
    }
  }

  /// As a line of its own, without a stack.
  void line(const std::string& what) { text_ += "\n" + printable(what) + "\n"; }

  /// Under the stack of a thread, as Go does.
  void created_by(const tsan::thread_number& number) {
    const auto found = std::ranges::find_if(
        shown_->threads, [&](const tsan::thread& each) { return number && each.number == *number; });
    if (found == shown_->threads.end() || found->created.frames.empty()) return;
    text_ += "created by ";
    if (found->created_by.value_or(0) != 0) text_ += tsan::thread_title(*shown_, found->created_by) + " in ";
    two_lines(found->created.frames[tsan::user_frame(found->created)]);
  }

  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  void two_lines(const frame& of) { text_ += printable(frame_text(of)); }

  [[nodiscard]] std::string frame_text(const frame& of) const {
    std::string text = "?";
    if (!of.function.empty()) text = shown_->go ? of.function : stacks::short_name(of.function);
    text += "\n\t";
    if (!of.file.empty()) {
      text += of.line == 0 ? of.file : fmt::format("{}:{}", of.file, of.line);
    } else if (!of.module.empty()) {
      text += fmt::format("{} +{:#x}", of.module, of.offset);
    } else {
      text += "?";
    }
    return text + "\n";
  }

  const report* shown_;
  bool all_frames_;
  bool coloured_;
  std::string text_;
};

std::string head(const tsan::finding& of, bool coloured) {
  const tsan::place& first = of.seen.front();
  return paint(printable(of.first.title), style::red, coloured) +
         fmt::format(": {}, {} {}:{}{}", plural(of.count, "report"), of.count == 1 ? "at" : "the first at",
                     printable(first.log), first.line, of.first.complete ? "" : ", cut off") +
         paint(fmt::format("  [{}]", of.fingerprint), style::dim, coloured) + "\n";
}

}  // namespace

std::string triage_report_text(const tsan::report& shown, bool all_frames, bool coloured) {
  block made(shown, all_frames, coloured);
  for (const tsan::access& each : shown.accesses) {
    made.part(tsan::access_title(shown, each), each.where);
    made.created_by(each.thread);
  }
  if (!shown.cycle.empty())
    made.line("cycle: " + fmt::format("{} => {}", fmt::join(shown.cycle, " => "), shown.cycle.front()));
  for (const tsan::acquisition& each : shown.acquisitions) {
    made.part(tsan::acquisition_title(shown, each), each.where);
    made.created_by(each.thread);
    if (!each.held_since.frames.empty()) made.part(each.held + " locked before", each.held_since);
  }
  for (const tsan::noted_stack& each : shown.stacks) made.part(each.note, each.where);
  if (shown.sleep) made.part("as if synchronized via sleep", *shown.sleep);
  if (shown.accessed) {
    if (shown.accessed->where.frames.empty()) {
      made.line(tsan::location_title(shown));
    } else {
      made.part(tsan::location_title(shown), shown.accessed->where);
    }
  }
  for (const tsan::mutex& each : shown.mutexes) {
    if (!each.created.frames.empty()) made.part(each.id + " created", each.created);
  }
  // Those of the parties are told already.
  if (shown.accesses.empty() && shown.acquisitions.empty()) {
    for (const tsan::thread& each : shown.threads) {
      made.part(tsan::thread_title(shown, each.number) + " created", each.created);
    }
    if (shown.more_leaks != 0) made.line(plural(shown.more_leaks, "more such thread"));
  }
  return made.text();
}

std::string triage_text(const tsan::triage_result& result, bool all_frames, bool coloured) {
  std::string text;
  for (const tsan::finding& each : result.findings)
    text += head(each, coloured) + triage_report_text(each.first, all_frames, coloured) + "\n";
  std::size_t lines = 0;
  for (const tsan::log_size& each : result.logs) lines += each.lines;
  if (result.findings.empty()) {
    text += "no report";
  } else {
    text += plural(result.reports(), "report") + ", " + fmt::format("{} distinct", result.findings.size());
  }
  text += fmt::format(" in {} of {}\n", plural(lines, "line"), plural(result.logs.size(), "log"));
  return text;
}

}  // namespace racelab::lab
