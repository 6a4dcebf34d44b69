#include "sanitizers/verdict/unseen.hpp"

#include <fmt/format.h>

#include "stacks/text.hpp"

namespace racelab::verdict {
namespace {

constexpr unsigned most_runs = 6;

unseen_writer writer_at(const unseen_writes::write& write, runner& runs) {
  unseen_writer found;
  const std::vector<stacks::frame> frames = runs.names().frames({write.pc});
  const std::string module = runs.modules().path(write.pc.module);
  found.function = frames.empty() ? "" : stacks::short_name(frames.front().function);
  found.library = stacks::file_name(module);
  found.in_program = write.pc.module == 0;
  if (write.atomic)
    found.what = unseen_writer::kind::atomic;
  else
    found.what = runs.is_instrumented(module) ? unseen_writer::kind::assembly : unseen_writer::kind::library;
  return found;
}

// Of several the one that speaks most against a race: the kinds are in this order.
unseen_writer find_writer(const place& stalled_at, const std::vector<std::vector<std::string>>& plans,
                          runner& runs) {
  unseen_writer likeliest;
  bool anybody = false;
  for (unsigned i = 0; i < most_runs && (i < plans.size() || runs.has_time(1)) && !runs.stopped() &&
                       likeliest.what != unseen_writer::kind::atomic;
       ++i) {
    runs.tell(fmt::format("{}: who wrote, run {}", at_line(stalled_at, runs.names()), i + 1));
    watch_request request;
    request.plan = plans[i % plans.size()];
    for (const caught_pair& each : runs.watch(request).found.caught) {
      if (each.stalled.pc != stalled_at) continue;
      anybody = true;
      if (each.came || !each.writes) continue;
      const auto take = [&](const unseen_writer& one) {
        if (one.what > likeliest.what) likeliest = one;
      };
      for (const unseen_writes::write& write : each.writes->by) take(writer_at(write, runs));
      if (each.writes->by.empty() && each.writes->watched && each.writes->mapped_twice)
        take({.what = unseen_writer::kind::other_mapping,
              .function = {},
              .library = {},
              .in_program = false,
              .anybody = true});
    }
  }
  likeliest.anybody = anybody;
  return likeliest;
}

}  // namespace

std::vector<std::vector<std::string>> plans_for_a_change(const target& of, const runner& runs,
                                                         const std::string& more) {
  const party& stalled = of.caught->stalled;
  const std::string each_time = "limit=20" + more;
  // Who changes the value may come to this very place. Stalled as often he would change nothing, and not at all he may be through
  // before the other one is there.
  return {{runs.stall(stalled.pc, 100'000, fmt::format("thread={} {}", stalled.thread, each_time)),
           runs.stall(stalled.pc, 20'000, "visit=0")},
          {runs.stall(stalled.pc, 100'000, each_time)}};
}

unseen_writer find_writer(const target& of, runner& runs) {
  return find_writer(of.caught->stalled.pc, plans_for_a_change(of, runs, " writers=1"), runs);
}

unseen_writer find_writer(const place& read_at, runner& runs) {
  return find_writer(read_at,
                     {{runs.stall(read_at, 100'000, "limit=20 writers=1")},
                      {runs.stall(read_at, 20'000, "chance=10 limit=20 writers=1")}},
                     runs);
}

std::string text_of(const unseen_writer& writer) {
  switch (writer.what) {
    case unseen_writer::kind::library:
      return fmt::format("{} of {} wrote there, which is not instrumented", writer.function, writer.library);
    case unseen_writer::kind::other_mapping:
      return "somebody wrote there by another address of the same memory";
    case unseen_writer::kind::assembly:
      return fmt::format("assembly in {} of {} wrote there", writer.function, writer.library);
    case unseen_writer::kind::atomic:
      return fmt::format("an atomic instruction in {} of {} wrote there", writer.function, writer.library);
    case unseen_writer::kind::unknown:
      break;
  }
  return "who wrote there could not be told";
}

}  // namespace racelab::verdict
