// boost::unordered_flat_map under racelab's write flag.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>

#include "repro/support/maps/std_adapter.hpp"
#include "sanitizers/write_flag/checked.hpp"

namespace racelab {

template <class Key, class Value> using lab_map = std_adapter<checked<boost::unordered_flat_map<Key, Value>>>;

}  // namespace racelab
