// Readers look at an immutable snapshot without a lock, and a writer publishes a changed copy of it.
//
// Thread safety
//   Any thread may call any operation at any time. Readers wait for nobody; writers wait for each other.
//
// Invariants
//   1. A published table never changes.
//   2. A writer, alone under the writers' lock, builds the next table, publishes it and then retires the old one, in
//      this order.
//   3. No lock is held while `visit` runs: it may call this map. It walks one snapshot, and does not see later writes.
//      A key's or value's copy and its == run under the writers' lock when a writer calls them: they may read this
//      map, not change it.
//
// Reclamation
//   A hazard pointer keeps the snapshot that a lookup is in, a reference count those that for_each() and snapshot()
//   hold. All others are freed by the writer who replaces them, after its lock is released. One that a lookup was just
//   in stays until the next write, or reclaim().
//
// Cost
//   A lookup announces its snapshot (one store, which waits for nobody) and looks it up: no lock, no
//   counter that readers share. A write copies every entry: O(n) time, and n entries of memory besides for a moment.
//
// When not to use it
//   Large maps that change often: hybrid_map copies less. Values that are expensive to copy: keep them behind a
//   std::shared_ptr<const Value>.
#pragma once

#include <functional>

#include "fixes/support/serialised_writers.hpp"
#include "fixes/support/snapshot_map.hpp"
#include "fixes/support/whole_table.hpp"

namespace racelab {

template <class Key, class Value, class Hash = std::hash<Key>, class Equal = std::equal_to<Key>>
using copy_on_write_map = snapshot_map<whole_table<Key, Value, Hash, Equal>, serialised_writers>;

}  // namespace racelab
