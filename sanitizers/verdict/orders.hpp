// Orders: which atomic operations, or fences, bring one access of a report before the other.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sanitizers/verdict/evidence.hpp"
#include "sanitizers/verdict/meetings.hpp"
#include "sanitizers/verdict/places.hpp"
#include "sanitizers/verdict/runner.hpp"
#include "sanitizers/verdict/targets.hpp"

namespace racelab::verdict {

/// After the first access of a meeting its thread writes an atomic that the other thread comes to before the second one.
struct hand_over {
  event gives;
  event takes;
  std::optional<event> fence_before;  // between the first access and `gives`
  std::optional<event> fence_after;   // between `takes` and the second access

  /// By the C++ memory model (C++20, 31.4 and 31.11), given that `takes` sees what `gives` has written.
  [[nodiscard]] bool releases() const noexcept;
  [[nodiscard]] bool acquires() const noexcept;
  /// The operations alone, which is what ThreadSanitizer looks at, make no order.
  [[nodiscard]] bool explains() const noexcept;
  /// There is an order, but only for the fences.
  [[nodiscard]] bool is_by_fences() const noexcept { return explains() && releases() && acquires(); }
};

/// `events` are in the order of time. Nothing if no atomic goes from the one thread to the other between the two accesses.
[[nodiscard]] std::optional<hand_over> hand_over_of(const std::vector<event>& events, const meeting& between);

/// Looks for one that explains, in a few runs. The race may be caught in them.
[[nodiscard]] std::optional<hand_over> find_hand_over(target& of, target_list& all, runner& runs);

/// "the relaxed operation in send (file:12), which does not release, and …; x86-64 …": what the order hangs on, and what a weaker
/// machine does.
[[nodiscard]] std::string text_of(const hand_over& by, place_names& names);

}  // namespace racelab::verdict
