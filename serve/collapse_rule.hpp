// Contention collapse: throughput falls while CPU use rises. More threads burn more time, and less gets done.
//
// Less load is no collapse: then CPU use falls, too. Nor is a machine that is busy elsewhere: it gives less CPU time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

namespace racelab::serve {

/// What a server did in one period.
struct load_sample {
  double seconds = 0;
  std::uint64_t operations = 0;
  double cpu_seconds = 0;

  [[nodiscard]] double throughput() const { return static_cast<double>(operations) / seconds; }
  [[nodiscard]] double processors() const { return cpu_seconds / seconds; }
};

struct collapse_settings {
  double fall = 0.5;         // throughput below this share of the best recent period's …
  double rise = 1.1;         // … while as many processors are used as then, times this …
  double all = 0.9;          // … or this share of the machine's, then and now: where use can't rise any more
  double processors = 1;     // of the machine
  std::size_t recent = 30;   // periods
  std::size_t in_a_row = 2;  // such periods: one may be a hiccup
  double least = 100;  // operations a second in the best period: below this there is nothing to fall from
};

/// A collapse in numbers: operations a second and processors in use, in the best recent period and in this one.
struct collapse_seen {
  load_sample before;
  load_sample now;
};

class collapse_rule {
 public:
  explicit collapse_rule(const collapse_settings& settings) : settings_(settings) {}

  /// Tells of a period. A collapse that is seen is the new state of things: the next one needs a better period first.
  std::optional<collapse_seen> add(const load_sample& now);

 private:
  [[nodiscard]] bool has_collapsed(const load_sample& best, const load_sample& now) const;

  collapse_settings settings_;
  std::deque<load_sample> recent_;
  std::size_t collapsed_in_a_row_ = 0;
};

}  // namespace racelab::serve
