// boost::unordered_flat_map: open addressing, so that entries live in the table itself and move when it
// grows.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>

#include "repro/support/maps/std_adapter.hpp"

namespace racelab {

template <class Key, class Value> using lab_map = std_adapter<boost::unordered_flat_map<Key, Value>>;

}  // namespace racelab
