// Meetings: visits of two sites by two threads that touch the same bytes in one run, and the plans that make use of them.
#pragma once

#include <cstdint>
#include <set>
#include <vector>

#include "sanitizers/verdict/delay.hpp"
#include "sanitizers/verdict/evidence.hpp"
#include "sanitizers/verdict/places.hpp"

namespace racelab::verdict {

/// Two conflicting visits, the first one earlier. Were the first one stalled, the second one would come meanwhile, unless
/// something makes it wait.
struct meeting {
  event first;
  event second;

  [[nodiscard]] double gap_ms() const noexcept {
    return static_cast<double>(second.time_ns - first.time_ns) / 1e6;
  }
};

/// True if both are at the same bytes, or some of them.
[[nodiscard]] constexpr bool overlap(const event& a, const event& b) noexcept {
  return a.address < b.address + b.size && b.address < a.address + a.size;
}

/// True if the visits overlap, one of them writes or frees, not both are atomic, and their threads differ.
[[nodiscard]] bool conflict(const event& a, const event& b) noexcept;

/// The meetings of a site in `a` with one in `b`, in either order, those with the shortest gaps first; at most `most`.
/// Each visit is paired with the last one before it by each other thread. `events` are in the order of time.
[[nodiscard]] std::vector<meeting> meetings_of(const std::vector<event>& events, const std::set<place>& a,
                                               const std::set<place>& b, std::size_t most = 64);

/// Of a stall: how long it was, and when the next conflicting visit of another thread came.
struct delayed_visit {
  delay_point point;
  unsigned thread = 0;  // that came
};
/// Those of the stalls at `stalled` in a run, with the visits of `sites`. Not of a stall after which nobody came, nor where
/// another one was under way meanwhile.
[[nodiscard]] std::vector<delayed_visit> delayed_visits(const std::vector<event>& events,
                                                        const place& stalled, const std::set<place>& sites);

}  // namespace racelab::verdict
