// Log parser: ThreadSanitizer's reports out of a log as it comes from a program, a container or a CI job.
//
// The log is fed in pieces of any size and never kept. Lines may have anything before the runtime's words; reports whose
// lines are mixed are told apart by it (log_line.hpp: stream_of). What can't be read is told, with its line.
//
// Memory: the reports that are open at a time (bounded) and one line (bounded).
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sanitizers/thread/report.hpp"

namespace racelab::tsan {

struct log_line;  // log_line.hpp

/// What could not be read of a log.
struct complaint {
  std::size_t line = 0;
  std::string text;
};

class log_parser {
 public:
  /// Reports come in the order in which they end. Neither function may call the parser.
  log_parser(std::function<void(report&&)> on_report, std::function<void(const complaint&)> on_complaint);
  ~log_parser();
  log_parser(const log_parser&) = delete;
  log_parser& operator=(const log_parser&) = delete;

  void feed(std::string_view piece);

  /// The end of the log: what is open is handed over, too.
  void finish();

  [[nodiscard]] std::size_t lines() const noexcept { return lines_; }

 private:
  struct open_report;

  std::size_t skip_to_report(std::string_view piece);
  void take_line(std::string_view line);
  void begin(const log_line& line);
  open_report& begin_report(report_kind kind, std::string_view title, const log_line& line);
  [[nodiscard]] open_report* find_open(bool inside);
  void close(open_report& closed, bool complete);
  void close_quiet_ones();
  void complain(std::size_t line, std::string text);

  std::function<void(report&&)> on_report_;
  std::function<void(const complaint&)> on_complaint_;
  std::vector<std::unique_ptr<open_report>> open_;
  std::size_t lines_ = 0;   // begun so far
  std::string unfinished_;  // the line at whose end the last piece was cut
  std::string plain_;       // a line without escape sequences
  std::string stream_;      // of the line
  std::size_t orphan_ = 0;  // the last line that belonged to no report
};

/// The reports of a whole log.
[[nodiscard]] std::vector<report> reports_in(std::string_view log);

}  // namespace racelab::tsan
