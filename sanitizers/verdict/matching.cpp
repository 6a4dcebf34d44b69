#include "sanitizers/verdict/matching.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "sanitizers/thread/sites.hpp"
#include "stacks/symbolise.hpp"
#include "stacks/text.hpp"

namespace racelab::verdict {
namespace {

using stacks::file_name;

// What the runtimes print of a frame without symbols differs.
bool has_line(const tsan::frame& of) { return !of.file.empty() && of.line != 0; }

bool agree(const tsan::frame& a, const stacks::frame& b) {
  // Code without symbols is anywhere in its module.
  if (a.function.empty() && !has_line(a)) return false;
  return std::cmp_equal(a.line, b.line) && file_name(a.file) == file_name(b.file) &&
         stacks::short_name(a.function) == stacks::short_name(b.function);
}

judged_site site_in(const std::vector<tsan::frame>& frames) {
  if (frames.empty()) return {};
  const tsan::frame& at = frames[tsan::user_frame({.frames = frames, .restored = true})];
  return {.file = at.file.empty() ? at.module : at.file,
          .line = at.line,
          .function = stacks::short_name(at.function),
          .access = "",
          .size = 0};
}

std::string access_text(touch access, bool atomic) {
  return (atomic ? "atomic " : "") + std::string(name(access));
}

void symbolise(tsan::stack& stack, module_table& modules, place_names& names) {
  std::vector<tsan::frame> expanded;
  for (const tsan::frame& each : stack.frames) {
    if (!each.function.empty() || each.module.empty()) {
      expanded.push_back(each);
      continue;
    }
    // The runtime prints what it stands at, one byte before the return address.
    const place at{.module = modules.id(each.module), .offset = static_cast<std::uintptr_t>(each.offset)};
    const std::vector<stacks::frame>& named = names.at(at, true);
    if (named.empty()) expanded.push_back(each);
    for (const stacks::frame& one : named) {
      expanded.push_back(report_frame(one));
      expanded.back().offset = each.offset;
    }
  }
  stack.frames = std::move(expanded);
}

}  // namespace

tsan::frame report_frame(const stacks::frame& from) {
  tsan::frame result;
  result.function = from.function;
  result.file = from.file;
  result.line = from.line > 0 ? static_cast<unsigned>(from.line) : 0;
  result.module = from.module;
  result.offset = from.offset;
  return result;
}

void symbolise(tsan::report& report, module_table& modules, place_names& names) {
  for (tsan::access& each : report.accesses) symbolise(each.where, modules, names);
  for (tsan::noted_stack& each : report.stacks) symbolise(each.where, modules, names);
  for (tsan::acquisition& each : report.acquisitions) {
    symbolise(each.where, modules, names);
    symbolise(each.held_since, modules, names);
  }
  for (tsan::thread& each : report.threads) symbolise(each.created, modules, names);
  for (tsan::mutex& each : report.mutexes) symbolise(each.created, modules, names);
  if (report.accessed) symbolise(report.accessed->where, modules, names);
}

bool is_race(tsan::report_kind kind) noexcept {
  switch (kind) {
    case tsan::report_kind::data_race:
    case tsan::report_kind::vptr_race:
    case tsan::report_kind::use_after_free:
    case tsan::report_kind::vptr_use_after_free:
    case tsan::report_kind::external_race:
      return true;
    default:
      return false;
  }
}

bool is_by_one_thread(const tsan::report& report) {
  return report.accesses.size() == 2 && report.accesses[0].thread &&
         report.accesses[0].thread == report.accesses[1].thread;
}

std::vector<report_side> sides_of(const tsan::report& report) {
  if (!is_race(report.kind) || report.accesses.size() != 2) return {};
  std::vector<report_side> sides;
  for (const tsan::access& each : report.accesses) {
    const auto first = std::ranges::find_if(each.where.frames, [](const tsan::frame& frame) {
      return has_line(frame) && !tsan::is_sanitizer_frame(frame);
    });
    report_side side{.frames = {},
                     .inner = {each.where.frames.begin(), first},
                     .access = each.write ? touch::write : touch::read,
                     .atomic = each.atomic,
                     .size = each.size};
    // What the runtime stood in for, without a line: free and operator delete are writes of the whole block.
    for (auto at = each.where.frames.begin(); at != first; ++at)
      if (at->function == "free" || at->function.starts_with("operator delete")) side.access = touch::free;
    side.frames.assign(first, each.where.frames.end());
    if (side.frames.empty()) side.frames = each.where.frames;
    sides.push_back(std::move(side));
  }
  return sides;
}

std::set<place> sites_of(const report_side& side, const std::vector<visited_site>& visited,
                         place_names& names) {
  std::size_t best = 0;
  std::vector<const visited_site*> matches;
  for (const visited_site& each : visited) {
    const std::vector<stacks::frame>& chain = names.at(each.pc);
    std::size_t agreeing = 0;
    while (agreeing < chain.size() && agreeing < side.frames.size() &&
           agree(side.frames[agreeing], chain[agreeing]))
      ++agreeing;
    if (agreeing == 0 || agreeing < best) continue;
    if (agreeing > best) matches.clear();
    best = agreeing;
    matches.push_back(&each);
  }
  std::set<place> same;
  std::set<place> all;
  for (const visited_site* each : matches) {
    all.insert(each->pc);
    if (each->access == side.access && each->atomic == side.atomic) same.insert(each->pc);
  }
  return same.empty() ? all : same;
}

judged_site site_of(const report_side& side) {
  judged_site site = site_in(side.frames);
  site.access = access_text(side.access, side.atomic);
  site.size = side.size;
  return site;
}

judged_site site_of(const party& at, place_names& names) {
  std::vector<tsan::frame> frames;
  for (const stacks::frame& each : names.at(at.pc)) frames.push_back(report_frame(each));
  bool past = false;  // the site's own frame: the runtime's stand before it
  for (const place& each : at.stack) {
    if (past)
      for (const stacks::frame& one : names.at(each)) frames.push_back(report_frame(one));
    past = past || each == at.pc;
  }
  judged_site site = site_in(frames);
  site.access = access_text(at.access, at.atomic);
  site.size = at.size;
  return site;
}

judged_site site_of(const thread_stack& waiting, place_names& names) {
  std::vector<tsan::frame> frames;
  for (const stacks::frame& each : names.frames(waiting.stack))
    if (!stacks::is_runtime_frame(each)) frames.push_back(report_frame(each));
  judged_site site = site_in(frames);
  site.access = "lock";
  return site;
}

std::vector<judged_site> sites_of(const deadlock& cycle, place_names& names) {
  std::vector<judged_site> sites;
  for (const deadlock::waiter& waiter : cycle.waiters) sites.push_back(site_of(waiter.where, names));
  return sites;
}

bool same_place(const judged_site& a, const judged_site& b) {
  const bool known = a.line != 0 || !a.function.empty();
  return known && a.line == b.line && file_name(a.file) == file_name(b.file) && a.function == b.function;
}

bool same_pair(const std::vector<judged_site>& a, const std::vector<judged_site>& b) {
  return a.size() == 2 && same_places(a, b);
}

bool same_places(const std::vector<judged_site>& a, const std::vector<judged_site>& b) {
  return std::ranges::is_permutation(a, b, same_place);
}

std::string identity_of(std::string_view kind, const std::vector<judged_site>& sites) {
  std::vector<std::string> parts;
  for (const judged_site& each : sites)
    parts.push_back(fmt::format("{} {}:{}", each.function, file_name(each.file), each.line));
  std::ranges::sort(parts);
  return fmt::format("{} | {}", kind, fmt::join(parts, " | "));
}

}  // namespace racelab::verdict
