// Waiting: does one access of a report wait for the other, and what does it wait by? All reports are asked in the same runs:
// a program that is reported for its lock is reported at every line that the lock guards.
#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "sanitizers/verdict/delay.hpp"
#include "sanitizers/verdict/mechanism.hpp"
#include "sanitizers/verdict/meetings.hpp"
#include "sanitizers/verdict/runner.hpp"
#include "sanitizers/verdict/targets.hpp"
#include "sanitizers/verdict/unseen.hpp"

namespace racelab::verdict {

/// In how many ways the visits that are stalled can be chosen.
constexpr std::size_t ways_to_stall = 4;

/// What stalls at one side of a report tell.
struct wait_series {
  target* of = nullptr;
  meeting at;
  bool delays = false;    // its accesses meet in runs with delays at the functions' entries
  double longest_ms = 0;  // of its stalls
  std::vector<delay_point> points;
  std::set<unsigned> threads;                   // that came
  std::array<unsigned, ways_to_stall> tried{};  // its runs, by how their visits were chosen
  std::array<unsigned, ways_to_stall> found{};  // … and their points
  bool alone = false;              // its next run has no other stalls: the last one's were in the way
  std::vector<mechanism> waiting;  // where the other thread stood
  unsigned mechanism_runs = 0;
  std::optional<delay_line> line;
  mechanism by;  // unknown unless the other thread waits

  [[nodiscard]] unsigned runs() const noexcept;
  [[nodiscard]] std::size_t best_way() const noexcept;
};

class waits {
 public:
  waits(target_list& all, runner& runs) : all_(all), runs_(runs) {}

  /// Spends runs on all of `open`, and puts into each what was found. A race may be caught on the way.
  void measure(const std::vector<target*>& open);

  /// What the other access of a report waits by, if it waits.
  [[nodiscard]] std::optional<mechanism> found_of(const target& of) const;

  /// The time was over before each report that could be asked had been.
  [[nodiscard]] bool ran_out_of_time() const noexcept { return ran_out_; }

 private:
  void choose_series(const std::vector<target*>& open);
  void measure_delays();
  void find_mechanisms();
  void conclude(wait_series& of);
  [[nodiscard]] bool is_raced_in(std::string_view function);
  std::vector<wait_series*> company_of(wait_series& leader);
  watch_run stall(const std::vector<wait_series*>& chosen, std::size_t leaders_way, bool others);
  void take_points(const watch_run& run, const std::vector<wait_series*>& chosen, std::size_t leaders_way);
  void take_mechanisms(const watch_run& run);
  [[nodiscard]] mechanism mechanism_at(const std::vector<place>& stack);
  [[nodiscard]] const unseen_writer& writer_of(const place& read_at);

  target_list& all_;
  runner& runs_;
  std::vector<wait_series> series_;
  std::map<place, unseen_writer> polled_;  // who writes there, by the sites that read it
  bool ran_out_ = false;
};

}  // namespace racelab::verdict
