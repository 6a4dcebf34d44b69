// Reader: crashes out of a log, whoever printed them.
#pragma once

#include <string_view>
#include <vector>

#include "stacks/reading/crash.hpp"

namespace racelab::reading {

/// The crashes that `log` tells of, in its order. Lines may end in CR LF and carry colours; what belongs to no crash is
/// passed over. Data races are not crashes: sanitizers/thread/ reads those.
[[nodiscard]] std::vector<crash> crashes_in(std::string_view log);

/// One frame as gdb prints it: `#1  0x… in f (a=1) at x.cpp:12`. False if `line` is none.
[[nodiscard]] bool read_gdb_frame(std::string_view line, frame& into);

}  // namespace racelab::reading
