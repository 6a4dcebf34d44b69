#include "sanitizers/verdict/unseen.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/core/demangle.hpp>
#include <cstdint>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "sanitizers/thread/sites.hpp"
#include "sanitizers/verdict/calls.hpp"
#include "sanitizers/verdict/matching.hpp"
#include "sanitizers/verdict/mechanism.hpp"
#include "stacks/text.hpp"

namespace racelab::verdict {
namespace {

constexpr unsigned most_runs = 4;

// What the compiler calls for exceptions, memory and threads.
constexpr auto support =
    std::to_array<std::string_view>({"__cxa_", "__gxx_", "__tsan_", "_Unwind_", "pthread_", "operator new",
                                     "operator delete", "std::__throw_", "std::terminate", "std::thread::"});

// The library that is not instrumented and has this function; libc's are left out, as most of them are intercepted.
std::string library_with(const std::string& symbol, const runner& runs) {
  for (std::uint32_t i = 1; i < runs.modules().size(); ++i) {
    const std::string& path = runs.modules().path(i);
    if (!runs.is_instrumented(path) && !is_c_library(path) && defines(path, symbol)) return path;
  }
  return {};
}

// What the function of `frame` may have written by.
std::vector<unseen_writer> writers_called_around(const stacks::frame& frame, const runner& runs) {
  std::vector<unseen_writer> found;
  for (const std::string& symbol : place_names::called_around(frame)) {
    const std::string function = boost::core::demangle(symbol.c_str());
    if (stacks::starts_with_any(function, support)) continue;
    const std::string library = library_with(symbol, runs);
    if (!library.empty())
      found.push_back({.library = std::string(stacks::file_name(library)),
                       .function = stacks::short_name(function),
                       .caller = {},
                       .inside = false});
  }
  return found;
}

// What is known of the functions that were looked into: the same ones are on the stacks again and again.
using known_writers = std::map<std::pair<std::string, std::uintptr_t>, std::vector<unseen_writer>>;

std::vector<unseen_writer> writers_on(const std::vector<place>& stack, runner& runs, known_writers& known) {
  const std::vector<stacks::frame> frames = runs.names().frames(stack);
  const auto called_by = [&](const stacks::frame& caller) { return runs.names().called_by(caller); };
  // It waits in a lock, or for a thread's end.
  if (mechanism_of(frames, runs.modules().path(0), called_by).what == sight::seen) return {};
  const auto user = std::ranges::find_if(frames, [&](const stacks::frame& each) {
    return each.line > 0 && runs.is_instrumented(each.module) && !stacks::is_runtime_frame(each) &&
           !tsan::is_library_frame(report_frame(each));
  });
  if (user == frames.end()) return {};
  std::vector<unseen_writer> found;
  if (user != frames.begin() && !runs.is_instrumented(std::prev(user)->module) &&
      !is_c_library(std::prev(user)->module)) {
    found.push_back({.library = std::string(stacks::file_name(std::prev(user)->module)),
                     .function = stacks::short_name(std::prev(user)->function),
                     .caller = {},
                     .inside = true});
  } else {
    const auto [at, fresh] = known.try_emplace({user->module, user->pc});
    if (fresh) at->second = writers_called_around(*user, runs);
    found = at->second;
  }
  report_side caller;
  caller.frames = {report_frame(*user)};
  for (unseen_writer& each : found) each.caller = site_of(caller);
  return found;
}

}  // namespace

std::optional<unseen_writer> find_writer(const target& of, runner& runs) {
  const place& at = of.caught->stalled.pc;
  known_writers known;
  std::map<std::pair<std::string, std::string>, std::pair<unsigned, unseen_writer>> seen;
  for (unsigned i = 0; i < most_runs && runs.has_time(1); ++i) {
    runs.tell(fmt::format("{}: who wrote, run {}", at_line(of.out.sites.front()), i + 1));
    watch_request request;
    request.plan.push_back(runs.stall(at, 2'000, "limit=10 others=1"));
    for (const bystanders& each : runs.watch(request).found.others)
      for (const thread_stack& other : each.threads) {
        if (other.thread == each.stalled.thread) continue;
        for (const unseen_writer& writer : writers_on(other.stack, runs, known)) {
          auto& [times, one] = seen[{writer.library, writer.function}];
          if (times++ == 0 || (writer.inside && !one.inside)) one = writer;
        }
      }
  }
  const auto likeliest = std::ranges::max_element(
      seen, {}, [](const auto& each) { return std::pair(each.second.second.inside, each.second.first); });
  if (likeliest == seen.end()) return std::nullopt;
  return likeliest->second.second;
}

std::string text_of(const unseen_writer& writer) {
  const std::string caller = at_line(writer.caller);
  return writer.inside ? fmt::format("{} of {}, called by {}", writer.function, writer.library, caller)
                       : fmt::format("{}, which calls {} of {}", caller, writer.function, writer.library);
}

}  // namespace racelab::verdict
