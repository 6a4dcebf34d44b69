// Verdict: what is thought of one report, and why.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sanitizers/verdict/delay.hpp"
#include "sanitizers/verdict/evidence.hpp"
#include "stacks/symbolise.hpp"

namespace racelab::verdict {

/// In the order in which they count: a program's verdict is the first that any of its reports has.
enum class verdict : std::uint8_t { confirmed, unconfirmed, ordering_only, likely_false };

/// confirmed, unconfirmed, ordering-only, likely-false
[[nodiscard]] std::string_view name(verdict what) noexcept;

/// What a confirmed race does, from forced runs compared with undisturbed ones.
enum class consequence : std::uint8_t { crash, hang, broken_invariant, other_exit, other_output, none_seen };

/// crash, hang, corruption, exit-code, output, none-seen
[[nodiscard]] std::string_view name(consequence what) noexcept;

/// One thing that speaks for the verdict. Types: caught, changed, deadlock, delay, vanishes, gate-lock, mechanism, forced-runs,
/// not-caught, not-reached, not-judged.
struct evidence_item {
  std::string type;
  std::string detail;               // one sentence
  std::vector<delay_point> points;  // of a delay
};

/// A site of a report in the user's code.
struct judged_site {
  std::string file;
  unsigned line = 0;
  std::string function;  // in short
  std::string access;    // read, write, free, lock; atomic ones with "atomic " before
  std::uint64_t size = 0;
};

/// One side of the catch as it is shown: both threads stood there at one time.
struct caught_side {
  std::string title;  // "thread 3 was stalled before its write of 8 bytes at 0x…"
  std::vector<stacks::frame> frames;
  std::vector<stacks::frame> created_by;
};

/// What a recipe catches: two threads at their accesses, a value that changes while a thread stands before its own, or threads
/// that wait for each other.
enum class catch_kind : std::uint8_t { pair, change, deadlock };

[[nodiscard]] std::string_view name(catch_kind what) noexcept;
[[nodiscard]] std::optional<catch_kind> catch_kind_named(std::string_view name) noexcept;

/// How a catch is repeated.
struct recipe {
  catch_kind catches = catch_kind::pair;
  std::vector<std::string> plan;  // of RACELAB_WATCH_PLAN
  std::string options;            // of RACELAB_WATCH
  bool marks_heap = true;         // new and freed memory is overwritten
  std::uint64_t seed = 0;
  std::chrono::milliseconds timeout{10'000};  // of a run
  unsigned reproduced = 0;                    // of the trials that were made
  unsigned trials = 0;
  std::vector<judged_site> sites;  // where its threads have to be caught
};

struct judged_report {
  std::string id;        // 16 hexadecimal digits, the same in every run: of the kind and both sites
  std::string kind;      // as the runtime names it (data-race, …)
  std::string title;     // as the report's first line has it
  bool reported = true;  // by ThreadSanitizer; false: caught without
  unsigned seen = 0;     // in so many of its runs
  std::vector<judged_site> sites;
  verdict what = verdict::unconfirmed;
  std::string reason;  // one sentence
  std::string cause;   // the mechanism of a false report, where it is known
  std::vector<evidence_item> why;
  std::optional<consequence> harm;  // of a confirmed race
  std::string harm_detail;          // one sentence
  std::string crash;                // what a forced run that crashed printed
  std::vector<caught_side> caught;
  std::optional<double> caught_after;  // seconds since the judge began
  std::string value;                   // before and after, where it is known
  std::optional<recipe> again;
  unsigned trials = 0;  // runs that could have caught it
};

struct judgement {
  std::string program;
  double seconds = 0;
  std::uint64_t seed = 0;
  unsigned tsan_runs = 0;
  unsigned watch_runs = 0;
  bool interrupted = false;
  std::vector<judged_report> reports;
  std::vector<std::string> notes;  // what limits the verdicts, one sentence each

  /// confirmed, unconfirmed, ordering-only, likely-false or no-report.
  [[nodiscard]] std::string_view overall() const noexcept;
};

}  // namespace racelab::verdict
