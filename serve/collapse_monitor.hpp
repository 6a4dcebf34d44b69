// Collapse monitor: a thread that watches a server's throughput and CPU time and, when it sees a contention collapse, takes
// all threads' stacks for a second and writes what they were doing.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "serve/collapse_rule.hpp"
#include "serve/profile.hpp"

namespace racelab::serve {

struct monitor_options {
  std::chrono::milliseconds period{1'000};
  std::chrono::milliseconds capture{1'000};  // how long stacks are taken …
  std::chrono::milliseconds every{10};       // … and how often
  std::chrono::milliseconds rest{60'000};    // after a capture, until the next one
  collapse_settings rule;
  std::filesystem::path folder;  // made when it is needed
};

/// What came of a collapse.
struct collapse_report {
  collapse_seen load;
  std::optional<contended_lock> lock;
  std::filesystem::path folded;   // DIR/collapse-N.folded; N is the first number that is free
  std::filesystem::path picture;  // DIR/collapse-N.svg
};

/// The report in one line.
[[nodiscard]] std::string said(const collapse_report& report);

class collapse_monitor {
 public:
  /// `operations` gives how many there have been so far. `seen` is called on the monitor's thread after each collapse, and
  /// `failed`, with a line, if its stacks could not be taken or written.
  collapse_monitor(monitor_options options, std::function<std::uint64_t()> operations,
                   std::function<void(const collapse_report&)> seen,
                   std::function<void(const std::string&)> failed);

 private:
  void watch(const std::stop_token& stop);
  [[nodiscard]] collapse_report capture(const collapse_seen& load, const std::stop_token& stop) const;

  monitor_options options_;
  std::function<std::uint64_t()> operations_;
  std::function<void(const collapse_report&)> seen_;
  std::function<void(const std::string&)> failed_;
  std::jthread watching_;  // last: stopped and joined first
};

}  // namespace racelab::serve
