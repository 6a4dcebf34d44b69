// Trials: many runs, several at a time, of which nothing stays behind.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>

#include "lab/trial.hpp"

namespace racelab::lab {

struct trial_callbacks {
  /// The next trial to launch, or nothing when there are no more; trials are numbered from 0 as they come.
  std::function<std::optional<trial_request>()> next;
  /// One that has ended, in the order in which they end.
  std::function<void(std::size_t number, trial_result result)> done;
  /// Called now and then while trials run, for a display. May be empty.
  std::function<void()> tick;
};

/// Runs trials, at most `jobs` at a time, until there are no more, or until SIGINT, SIGTERM or SIGHUP comes:
/// then all are killed and the signal's number is returned, otherwise 0.
///
/// While it runs, this process handles those signals and SIGCHLD, and is a subreaper: a process that a
/// program put into a session of its own comes to this process when its parent dies, and is killed then. (So
/// a program may not leave a daemon behind on purpose.) Children that this process had before are left alone.
/// A program that ThreadSanitizer could not run with randomised addresses is run again without; its result
/// says so. Throws std::system_error if a program can't be launched, after all others have been killed. Call
/// it from the main thread, one call at a time: programs are tied to the thread that launched them.
int run_trials(unsigned jobs, const trial_callbacks& callbacks);

/// One trial alone. Throws as above, and std::runtime_error if a signal ended it.
[[nodiscard]] trial_result run_trial(const trial_request& request);

}  // namespace racelab::lab
