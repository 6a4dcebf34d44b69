// The map of this program: Go's bucket map with Go's write flag, which ends the program when it catches two
// threads.
#pragma once

#include "repro/support/hmap/hmap.hpp"
#include "sanitizers/write_flag/report.hpp"

namespace racelab {
template <class K, class V> using lab_map = hmap<K, V, write_flag::on>;
}  // namespace racelab
