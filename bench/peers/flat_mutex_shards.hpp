// 64 shards of boost::unordered_flat_map, each with a mutex.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>

#include "bench/peers/mutex_shards.hpp"

namespace racelab::bench {

template <class Key, class Value>
struct flat_mutex_shards : sharded_by_mutex<boost::unordered_flat_map<Key, Value>> {};

}  // namespace racelab::bench
