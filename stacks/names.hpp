// Names: the inside of symbolise.hpp.
#pragma once

#include <string_view>

#include "stacks/symbolise.hpp"

namespace racelab::stacks {

/// True for the path of a library of the C or C++ runtime: libc, the dynamic linker, libstdc++, the
/// unwinders.
[[nodiscard]] bool is_system_library(std::string_view path);

/// True for frames of racelab's own detectors, of this library and of sanitizers' runtimes: what they call in
/// turn is theirs too.
[[nodiscard]] bool is_detector_frame(const frame& candidate);

}  // namespace racelab::stacks
