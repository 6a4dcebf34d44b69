// Triage: the reports of many logs, each bug once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "sanitizers/thread/log_parser.hpp"
#include "sanitizers/thread/report.hpp"

namespace racelab::tsan {

/// A line of a log.
struct place {
  std::string log;
  std::size_t line = 0;
};

/// All reports with one signature.
struct finding {
  std::string signature;
  std::string fingerprint;
  report first;  // as the first log has it; replaced by one that was read to its end
  std::size_t count = 0;
  std::vector<place> seen;  // where they begin: the first few of them
};

struct place_complaint {
  place at;
  std::string text;
};

struct log_size {
  std::string name;
  std::size_t lines = 0;
  std::uint64_t bytes = 0;
  std::size_t reports = 0;
};

struct triage_result {
  std::vector<log_size> logs;
  std::vector<finding> findings;  // in the order in which they were first seen
  std::vector<place_complaint> complaints;
  std::size_t more_complaints = 0;  // that are not kept

  [[nodiscard]] std::size_t reports() const;
};

/// Reads logs one after another. Memory: one report of each kind of bug, and what a log_parser has open.
class triage {
 public:
  /// What follows is of a new log.
  void begin_log(std::string name);
  void feed(std::string_view piece);
  void end_log();

  [[nodiscard]] const triage_result& result() const noexcept { return result_; }

 private:
  void take(report&& found);
  void take(const complaint& found);

  triage_result result_;
  std::unordered_map<std::string, std::size_t> by_signature_;  // indices of findings
  std::unique_ptr<log_parser> parser_;
};

}  // namespace racelab::tsan
