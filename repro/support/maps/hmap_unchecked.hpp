// The map of this program: Go's bucket map without its write flag, so that a race runs on until something
// breaks.
#pragma once

#include "repro/support/hmap/hmap.hpp"
#include "sanitizers/write_flag/policy.hpp"

namespace racelab {
template <class K, class V> using lab_map = hmap<K, V, write_flag::off>;
}  // namespace racelab
