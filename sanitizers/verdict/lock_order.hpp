// Lock order: whether an inversion that was reported can end in a deadlock.
#pragma once

#include <vector>

#include "sanitizers/verdict/evidence.hpp"
#include "sanitizers/verdict/runner.hpp"
#include "sanitizers/verdict/targets.hpp"

namespace racelab::verdict {

class lock_orders {
 public:
  lock_orders(target_list& all, runner& runs) : all_(all), runs_(runs) {}

  /// One run in which threads are stalled between two locks.
  void attempt(target& of);

  /// What is to be thought of an inversion that never ended in a deadlock.
  void conclude(target& of) const;

 private:
  void confirm(target& of, const deadlock& cycle);

  target_list& all_;
  runner& runs_;
  std::vector<nested_lock> taken_;  // of all runs
};

/// What holds of all acquisitions that make cycles of two locks.
struct cycle_guards {
  bool any_cycle = false;
  bool gated = true;       // a common third lock was held at each
  bool one_thread = true;  // one thread alone made them
};

[[nodiscard]] cycle_guards guards_of(const std::vector<nested_lock>& taken);

}  // namespace racelab::verdict
