// Lock order: whether an inversion that was reported can end in a deadlock.
#pragma once

#include <vector>

#include "sanitizers/verdict/evidence.hpp"
#include "sanitizers/verdict/runner.hpp"
#include "sanitizers/verdict/targets.hpp"

namespace racelab::verdict {

/// What holds of all acquisitions that make cycles of two locks.
struct cycle_guards {
  bool any_cycle = false;
  bool gated = true;       // a common third lock was held at each
  bool one_thread = true;  // one thread alone made them
  bool apart = true;       // no two threads that took the locks in different orders were ever there together
};

/// Of one run: a mutex's address means nothing in another one.
[[nodiscard]] cycle_guards guards_of(const std::vector<nested_lock>& taken);

class lock_orders {
 public:
  lock_orders(target_list& all, runner& runs) : all_(all), runs_(runs) {}

  /// One run in which threads are stalled between two locks.
  void attempt(target& of);

  /// The same where nothing was reported: ThreadSanitizer tells of two orders when the second one is taken, which a program that
  /// hangs first never comes to.
  void attempt_unreported();

  /// What is to be thought of an inversion that did not end in a deadlock so far.
  void conclude(target& of) const;

  /// Says of one about which nothing was found in the end that it is unconfirmed.
  static void leave_open(target& of);

 private:
  [[nodiscard]] evidence watch();
  void confirm(target& of, const deadlock& cycle);
  static void call_false(target& of, const char* cause, const std::string& reason,
                         const std::string& evidence);

  target_list& all_;
  runner& runs_;
  cycle_guards guards_;  // of all runs
};

}  // namespace racelab::verdict
