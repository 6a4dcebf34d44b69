// Compiled once for each map, with -fsanitize=thread.
#include "tests/linear/program_map.hpp"

#include RACELAB_MAP_HEADER

namespace racelab::linear {

std::unique_ptr<tested_map> make_map() { return std::make_unique<tested<RACELAB_MAP<int, twin>>>(); }

std::string map_name() { return RACELAB_MAP_NAME; }

}  // namespace racelab::linear
