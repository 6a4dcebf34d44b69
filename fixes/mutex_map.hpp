// One lock around everything: the baseline that every other remedy has to beat.
//
// Thread safety
//   Any thread may call any operation at any time. Operations exclude each other, readers too.
//
// Invariants
//   1. The entries are touched only while the mutex is held.
//   2. Nothing of them leaves by reference: values are copied under the lock. The one exception is `visit` in
//      for_each(), which runs under the lock and so must not call the map.
//
// Reclamation
//   None is needed: nobody looks at an entry without the lock, so erase() frees it at once. What clear() removes is
//   destroyed after the lock is released.
//
// Cost
//   An uncontended lock and unlock for each operation. Threads queue: throughput does not grow with their number.
//
// When not to use it
//   Many readers at once, long walks by for_each(), or a visitor that needs the map: a snapshot serves these.
#pragma once

#include <functional>

#include "fixes/support/locked_map.hpp"

namespace racelab {

template <class Key, class Value, class Hash = std::hash<Key>, class Equal = std::equal_to<Key>>
using mutex_map = locked_map<Key, Value, Hash, Equal, annotated_mutex, mutex_lock>;

}  // namespace racelab
