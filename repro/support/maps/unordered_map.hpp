// std::unordered_map: chains of nodes, so that a deleted entry is freed.
#pragma once

#include <unordered_map>

#include "repro/support/maps/std_adapter.hpp"

namespace racelab {

template <class Key, class Value> using lab_map = std_adapter<std::unordered_map<Key, Value>>;

}  // namespace racelab
