// The map that a program linear.NAME is built for.
#pragma once

#include <memory>
#include <string>

#include "tests/linear/tested_map.hpp"

namespace racelab::linear {

/// An empty one.
[[nodiscard]] std::unique_ptr<tested_map> make_map();

[[nodiscard]] std::string map_name();

}  // namespace racelab::linear
