// `racelab serve`: a map behind HTTP. A program of its own serves it, bin/racelab-serve, which this becomes.
#pragma once

#include <string>
#include <vector>

namespace racelab::lab {

/// Becomes the server with these arguments. Returns only if it can't: throws std::runtime_error with what to do.
[[noreturn]] void serve_command(const std::vector<std::string>& arguments);

}  // namespace racelab::lab
