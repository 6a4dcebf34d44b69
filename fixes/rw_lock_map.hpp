// A readers-writer lock around everything: readers share it, writers have it alone.
//
// Thread safety
//   Any thread may call any operation at any time. Readers run side by side; a writer excludes them and other writers.
//
// Invariants
//   1. The entries are changed only while the lock is held exclusively, and read only while it is held at least shared.
//   2. Nothing of them leaves by reference: values are copied under the lock. The one exception is `visit` in
//      for_each(), which runs under the shared lock and so must not call the map: not even to read, for a writer that
//      waits in between may keep the second reader out, and so itself.
//
// Reclamation
//   None is needed: a writer is alone, so erase() frees an entry at once. What clear() removes is destroyed after the
//   lock is released.
//
// Cost
//   A reader changes the lock's word twice. All readers change the same one, so its cache line travels between their
//   processors: where the work under the lock is a single lookup, this can cost more than a plain mutex.
//
// When not to use it
//   Short lookups (mutex_map is simpler, a snapshot faster). Many readers that never pause: glibc's lock, which
//   std::shared_mutex is here, prefers readers and may let writers wait for long.
#pragma once

#include <functional>

#include "fixes/support/locked_map.hpp"

namespace racelab {

template <class Key, class Value, class Hash = std::hash<Key>, class Equal = std::equal_to<Key>>
using rw_lock_map = locked_map<Key, Value, Hash, Equal, annotated_shared_mutex, reader_lock>;

}  // namespace racelab
