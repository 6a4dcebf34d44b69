// Targets: the reports that a judge looks into, each once, with all that was found of it.
#pragma once

#include <array>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sanitizers/thread/report.hpp"
#include "sanitizers/verdict/evidence.hpp"
#include "sanitizers/verdict/matching.hpp"
#include "sanitizers/verdict/meetings.hpp"
#include "sanitizers/verdict/runner.hpp"
#include "sanitizers/verdict/verdict.hpp"

namespace racelab::verdict {

/// A report that is being looked into.
struct target {
  judged_report out;
  std::vector<report_side> sides;  // two; none for what is no race of two accesses
  std::array<std::set<place>, 2> sites;
  std::vector<meeting> meetings;  // of the latest run that had some
  bool meets_by_delays = false;   // that run had delays at the functions' entries
  std::optional<caught_pair> caught;
  std::vector<std::string>
      caught_by;                     // the plan under which it was caught; empty: by the runtime's own policy
  std::vector<event> caught_events;  // stalls and hits of that run
  unsigned attempts = 0;
  bool is_lock_order = false;
  bool is_by_one_thread = false;
  bool is_ordered_by_openmp = false;  // for Archer: it is not reported with that
  bool is_held_up = false;            // that order holds: one access seems to wait for the other
  bool is_of_a_library = false;  // that was not compiled with -fsanitize=thread: it alone is on both stacks

  [[nodiscard]] bool is_race() const { return sides.size() == 2; }
  [[nodiscard]] bool open() const { return !caught && out.what == verdict::unconfirmed; }
  /// Both of its sites were visited by some run.
  [[nodiscard]] bool reached() const { return !sites[0].empty() && !sites[1].empty(); }
  [[nodiscard]] std::set<place> both_sites() const;
  void add_evidence(const std::string& type, const std::string& detail) {
    out.why.push_back({type, detail, {}});
  }
};

class target_list {
 public:
  explicit target_list(runner& runs) : runs_(runs) {}

  /// The reports of one run.
  void take_reports(std::vector<tsan::report> reports);
  /// The ids of the reports of one run, which are not taken.
  [[nodiscard]] std::set<std::string> ids_of(std::vector<tsan::report> reports);

  /// What a run under `plan` has caught: it is given to the targets whose it is, and what is nobody's becomes a target of its
  /// own.
  void take_caught(const evidence& found, const std::vector<std::string>& plan);

  /// Makes a run, and takes what it has caught under its plan.
  watch_run watch(const watch_request& request);

  /// The target of threads that wait for each other; a new one, not reported, if there is none with their sites.
  [[nodiscard]] target& target_of(const deadlock& cycle);

  /// Looks for the targets' sites among those that were visited.
  void find_sites();

  /// Takes away changes that are explained by a pair that was caught: a writer that had made its check before the stall began
  /// changes the value, too.
  void forget_known_changes();

  /// Takes away changes that were not reported, and that are no proof of a race.
  void forget_unproven_changes();

  /// A reference stays good when another target comes.
  [[nodiscard]] target& at(std::size_t index) { return targets_.at(index); }
  [[nodiscard]] std::size_t size() const noexcept { return targets_.size(); }

 private:
  target& add(const std::string& identity);
  void forget_if(const std::function<bool(const target&)>& is_forgotten);
  target& target_of(const tsan::report& report);
  void take_sides(target& of, const tsan::report& report);
  target& target_of(const caught_pair& pair);
  // What was caught without a report.
  target& unreported(tsan::report_kind kind, std::vector<judged_site> sites);

  runner& runs_;
  std::deque<target> targets_;
  std::map<std::string, std::size_t> by_id_;
  std::size_t sites_known_ = 0;
};

/// FUNCTION (FILE:LINE)
[[nodiscard]] std::string at_line(const judged_site& site);
[[nodiscard]] std::string at_line(const place& where, place_names& names);

}  // namespace racelab::verdict
