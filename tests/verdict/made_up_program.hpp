// A program that is made up: a test says what its runs come to. Its sites are functions of the test itself, so that they have
// names and lines.
#pragma once

#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "sanitizers/verdict/judge.hpp"
#include "sanitizers/verdict/matching.hpp"
#include "sanitizers/verdict/places.hpp"

namespace racelab::verdict::made_up {

/// The place to which this call returns. In the executable itself, the first module.
[[gnu::noinline]] inline place here() {
  const auto pc = reinterpret_cast<std::uintptr_t>(__builtin_return_address(0));
  Dl_info module{};
  dladdr(reinterpret_cast<void*>(pc), &module);
  return {.module = 0, .offset = pc - reinterpret_cast<std::uintptr_t>(module.dli_fbase)};
}

[[gnu::noinline]] inline place store() { return here(); }
[[gnu::noinline]] inline place load() { return here(); }
[[gnu::noinline]] inline place erase() { return here(); }
[[gnu::noinline]] inline place insert() { return here(); }
[[gnu::noinline]] inline place take_lock() { return here(); }

/// A library that was built without -fsanitize=thread.
inline constexpr auto plain_library = "/usr/lib/libplain.so";

inline std::string own_path() { return std::filesystem::read_symlink("/proc/self/exe").string(); }

class program final : public judged_program {
 public:
  std::function<tsan_run(const std::vector<std::string>& options)> under_tsan;  // empty: nothing is reported
  std::function<void(const watch_request& request, watch_run& run)> watched;    // empty: nothing happens
  std::function<bool()> is_stopped;                                             // empty: never
  std::function<bool()>
      is_seen_by_archer;     // a race that is reported with Archer, too; empty: there is no Archer
  std::vector<place> sites;  // that each watched run visits

  unsigned tsan_runs = 0;
  std::vector<watch_request> requests;  // the first hundred of all watched runs

  tsan_run run_tsan(const tsan_request& request) override {
    ++tsan_runs;
    tsan_run run;
    if (under_tsan && (!request.archer || is_seen_by_archer())) run = under_tsan(request.options);
    if (run.end.exit_code == -1 && run.end.signal == 0 && !run.end.timed_out) run.end.exit_code = 0;
    run.end.milliseconds = 1;
    return run;
  }

  watch_run run_watch(const watch_request& request) override {
    if (requests.size() < 100) requests.push_back(request);
    watch_run run;
    run.end.exit_code = 0;
    run.end.milliseconds = 1;
    for (const place& each : sites)
      run.found.sites.push_back({.pc = each, .visits = 1, .size = 8, .access = touch::write});
    if (watched) watched(request, run);
    return run;
  }

  [[nodiscard]] bool stopped() const override { return is_stopped && is_stopped(); }
  module_table& modules() override { return modules_; }
  [[nodiscard]] bool is_instrumented(const std::string& module) const override {
    return module != plain_library;
  }
  [[nodiscard]] bool has_archer() const override { return static_cast<bool>(is_seen_by_archer); }

  /// The rule of `request` that stalls `at`; empty if there is none.
  [[nodiscard]] std::string stall(const watch_request& request, const place& at) const {
    const std::string start = "stall " + modules_.text(at) + " ";
    const auto found =
        std::ranges::find_if(request.plan, [&](const std::string& line) { return line.starts_with(start); });
    return found == request.plan.end() ? "" : *found;
  }

  /// As ThreadSanitizer would say it: two writes of 8 bytes.
  tsan::report race_between(const place& one, const place& other) {
    tsan::report report;
    report.kind = tsan::report_kind::data_race;
    report.title = "data race";
    report.complete = true;
    for (const place& each : {one, other}) {
      tsan::access& access = report.accesses.emplace_back();
      access.write = true;
      access.size = 8;
      access.where.frames = frames(each);
    }
    return report;
  }

  /// Two locks that are taken in either order, at these places.
  tsan::report inversion_between(const place& one, const place& other) {
    tsan::report report;
    report.kind = tsan::report_kind::lock_order_inversion;
    report.title = "lock-order-inversion (potential deadlock)";
    report.complete = true;
    report.cycle = {"M0", "M1"};
    report.acquisitions.resize(2);
    report.acquisitions[0] = {
        .mutex = "M1", .held = "M0", .thread = 1, .where = {.frames = frames(one)}, .held_since = {}};
    report.acquisitions[1] = {
        .mutex = "M0", .held = "M1", .thread = 2, .where = {.frames = frames(other)}, .held_since = {}};
    return report;
  }

  std::vector<tsan::frame> frames(const place& at) {
    std::vector<tsan::frame> all;
    for (const stacks::frame& each : names_.at(at)) all.push_back(report_frame(each));
    return all;
  }

 private:
  module_table modules_{own_path()};
  place_names names_{modules_};
};

constexpr std::uint64_t address = 0x1000;

inline party writer(unsigned thread, const place& at) {
  party who;
  who.thread = thread;
  who.access = touch::write;
  who.address = address;
  who.size = 8;
  who.pc = at;
  who.stack = {at};
  return who;
}

inline caught_pair pair(const place& stalled, const place& came) {
  return {.stalled = writer(2, stalled),
          .came = writer(3, came),
          .value_before = 1,
          .value_after = 0,
          .writes = {}};
}

inline caught_pair change(const place& stalled) {
  return {.stalled = writer(2, stalled),
          .came = std::nullopt,
          .value_before = 1,
          .value_after = 2,
          .writes = unseen_writes{.watched = true, .mapped_twice = true, .by = {}}};
}

inline event happening(event::kind what, unsigned thread, const place& at, double ms) {
  event one;
  one.what = what;
  one.access = touch::write;
  one.thread = thread;
  one.size = 8;
  one.time_ns = static_cast<std::uint64_t>(ms * 1e6);
  one.address = address;
  one.pc = at;
  return one;
}

}  // namespace racelab::verdict::made_up
