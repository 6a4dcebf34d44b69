// Format: symbolised frames as Go prints them.
#pragma once

#include <string>
#include <vector>

#include "stacks/symbolise.hpp"

namespace racelab::stacks {

/// Whether frames of detectors, runtimes and thread start-up are shown, and names in full.
enum class detail { user, system };

/// Two lines for each frame:
///
///     racelab::hmap<…>::erase(…)
///     <tab>repro/support/hmap/hmap.hpp:210 +0x5c
///
/// the call, or `name(...)` if it was inlined, then file:line (or the module's path) and how far into the
/// function the pc is, which an inlined frame lacks. If detail::user would hide all frames, all are shown.
[[nodiscard]] std::string format_frames(const std::vector<frame>& frames, detail shown);

/// `created by NAME` and its line: the first frame of the creator's stack that is not on the way to
/// pthread_create. Empty if there are no frames.
[[nodiscard]] std::string format_created_by(const std::vector<frame>& frames, detail shown);

}  // namespace racelab::stacks
