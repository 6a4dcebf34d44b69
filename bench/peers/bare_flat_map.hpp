// boost::unordered_flat_map as it is, for one thread alone.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>

#include "bench/peers/bare_unordered_map.hpp"

namespace racelab::bench {

template <class Key, class Value> struct bare_flat_map : bare_map<boost::unordered_flat_map<Key, Value>> {
  static constexpr bool one_thread = true;
};

}  // namespace racelab::bench
