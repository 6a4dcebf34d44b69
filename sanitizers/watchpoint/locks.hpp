// Locks that are followed: RACELAB_WATCH=locks=1.
#pragma once

namespace racelab::watch {

/// Follows pthread's mutexes and read-write locks from now on, if the settings say so.
void follow_locks() noexcept;

}  // namespace racelab::watch
