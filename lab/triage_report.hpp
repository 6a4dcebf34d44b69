// Triage report: what logs of ThreadSanitizer hold, as a person reads it.
#pragma once

#include <string>

#include "sanitizers/thread/triage.hpp"

namespace racelab::lab {

/// A report's parties, the memory, the mutexes and the threads' creators with their stacks in the form of Go's; frames of
/// libraries and runtimes are left out unless `all_frames`.
[[nodiscard]] std::string triage_report_text(const tsan::report& shown, bool all_frames, bool coloured);

/// A block for each finding, headed by kind and count, and a line about all of it at the end.
[[nodiscard]] std::string triage_text(const tsan::triage_result& result, bool all_frames, bool coloured);

}  // namespace racelab::lab
