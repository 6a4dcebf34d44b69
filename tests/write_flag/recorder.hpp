// Keeps what the write flag finds, so that a test can look at it.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <mutex>
#include <string>
#include <vector>

#include "sanitizers/write_flag/report.hpp"
#include "stacks/symbolise.hpp"

struct recorded_finding {
  racelab::write_flag::misuse what;
  const void* map;
  racelab::write_flag::other_thread other;
  std::vector<racelab::stacks::thread_trace> threads;
};

/// The handler of the write flag, from construction to destruction.
class recorder {
 public:
  recorder() {
    findings().clear();
    racelab::write_flag::set_handler([](const racelab::write_flag::finding& seen) {
      const std::scoped_lock lock(mutex());
      findings().push_back({seen.what, seen.map, seen.other, {seen.threads.begin(), seen.threads.end()}});
    });
  }
  ~recorder() { racelab::write_flag::set_handler(nullptr); }
  recorder(const recorder&) = delete;
  recorder& operator=(const recorder&) = delete;

  /// What was found so far, oldest first.
  // NOLINTNEXTLINE(readability-convert-member-functions-to-static): nothing is recorded without a recorder
  [[nodiscard]] std::vector<recorded_finding> all() const {
    const std::scoped_lock lock(mutex());
    return findings();
  }

 private:
  static std::mutex& mutex() {
    static std::mutex one;
    return one;
  }
  static std::vector<recorded_finding>& findings() {
    static std::vector<recorded_finding> one;
    return one;
  }
};

/// True if one of the stack's frames is in a function whose name holds `function`.
inline bool names(const racelab::stacks::thread_trace& thread, const std::string& function) {
  const racelab::stacks::symboliser here(getpid());
  return std::ranges::any_of(
      here.resolve(thread.stack.frames(), thread.stack.exact_top),
      [&](const auto& frame) { return frame.function.find(function) != std::string::npos; });
}
