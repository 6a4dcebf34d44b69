// std::unordered_map under racelab's write flag.
#pragma once

#include <unordered_map>

#include "repro/support/maps/std_adapter.hpp"
#include "sanitizers/write_flag/checked.hpp"

namespace racelab {

template <class Key, class Value> using lab_map = std_adapter<checked<std::unordered_map<Key, Value>>>;

}  // namespace racelab
