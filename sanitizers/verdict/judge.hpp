// Judge: spends a budget of runs on the reports of a program and says of each whether it is real.
//
// A report names two accesses. The judge finds their sites in the same program linked with the watchpoint runtime and stalls
// one of them until the other thread comes, then the other way round, learning from each run which visits of the two
// sites touch the same bytes. Both threads at the bytes at one time is a proof. What is never caught is asked whether it
// can be: whether one access waits for the other, whether ThreadSanitizer would report it with stronger atomics or if
// it knew of the code that it can't see.
//
// Sources: RaceFuzzer (Sen, PLDI 2008: pause at a reported statement until the partner comes), DataCollider (Erickson et al.,
// OSDI 2010), TSVD (Li et al., SOSP 2019), Portend (Kasikci et al., ASPLOS 2012: classes of consequences).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "sanitizers/thread/report.hpp"
#include "sanitizers/verdict/evidence.hpp"
#include "sanitizers/verdict/verdict.hpp"

namespace racelab::verdict {

/// How a run ended.
struct ending {
  int exit_code = -1;  // -1 if a signal ended it
  int signal = 0;
  bool timed_out = false;
  std::string output;  // of stdout
  std::string errors;  // of stderr
  double milliseconds = 0;

  /// exit 0, signal 11, no end in time
  [[nodiscard]] std::string text() const;
};

struct watch_request {
  std::vector<std::string> plan;
  bool built_in_policy = false;
  bool wants_events = false;
  std::string options;     // of RACELAB_WATCH; empty: the usual ones
  bool marks_heap = true;  // new and freed memory is overwritten
  std::uint64_t seed = 0;
  std::chrono::milliseconds timeout{10'000};
};

struct watch_run {
  ending end;
  evidence found;
};

struct tsan_request {
  std::vector<std::string> options{};  // NAME=VALUE, besides the usual ones
  bool archer = false;                 // it tells ThreadSanitizer what LLVM's OpenMP library orders
  std::chrono::milliseconds timeout{10'000};
};

struct tsan_run {
  ending end;
  std::vector<tsan::report> reports;
};

/// The program that is judged, in its two links.
class judged_program {
 public:
  judged_program() = default;
  judged_program(const judged_program&) = delete;
  judged_program& operator=(const judged_program&) = delete;
  virtual ~judged_program() = default;

  virtual tsan_run run_tsan(const tsan_request& request) = 0;
  virtual watch_run run_watch(const watch_request& request) = 0;
  /// True once somebody wants it to stop: the judge says what it knows by then.
  [[nodiscard]] virtual bool stopped() const = 0;
  virtual module_table& modules() = 0;
  /// True if the module was compiled with -fsanitize=thread.
  [[nodiscard]] virtual bool is_instrumented(const std::string& module) const = 0;
  /// True if a watched run has loaded LLVM's OpenMP library, and Archer is installed.
  [[nodiscard]] virtual bool has_archer() const = 0;
};

struct judge_settings {
  std::chrono::duration<double> budget{30};
  std::uint64_t seed = 0;
  std::vector<tsan::report>
      given;  // from a log; then the program is not run under ThreadSanitizer to get some
};

/// Told now and then, for a display: what is being done.
using judge_progress = std::function<void(const std::string&)>;

/// Spends about `budget` seconds: a run that was begun is finished, and a program under ThreadSanitizer is run at least once.
[[nodiscard]] judgement judge_program(judged_program& program, const judge_settings& settings,
                                      const judge_progress& progress);

/// Repeats a recipe once; consequences.hpp: is_caught() says whether its pair was caught.
[[nodiscard]] watch_run replay(judged_program& program, const recipe& again,
                               std::chrono::milliseconds timeout);

}  // namespace racelab::verdict
