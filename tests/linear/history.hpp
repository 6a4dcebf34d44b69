// A history: what several threads asked of one map, what each was told, and when.
//
// Time is a counter; each invocation and each response takes a number of it by a relaxed fetch_add. In the C++ model
// that orders nothing but the counter itself, so it lends a map no happens-before that the map has forgotten. On
// x86-64, where the watchpoint runtime is at home, it is a locked instruction: all processors agree on one order of
// these, and no load or store of a thread is reordered with its own (Intel SDM, volume 3A, Memory Ordering). The
// compiler can't move a map's accesses past it either, because the map is called through a virtual function of another
// translation unit. So a response with a smaller number than an invocation was really over before the other began.
// The price: store buffers are drained between operations. A store that would linger beyond the end of its operation
// is not met here; the runtime makes every atomic seq_cst anyway, and leaves memory orders to ThreadSanitizer.
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

namespace racelab::linear {

using value = std::uint64_t;
using time_point = std::uint64_t;

/// The map gave half of one value and half of another. Nobody ever stores this one.
inline constexpr value torn = std::numeric_limits<value>::max();

/// The response of an operation that has not returned yet.
inline constexpr time_point pending = std::numeric_limits<time_point>::max();

enum class kind : std::uint8_t { find, insert, insert_or_assign, erase, erase_if_equal, for_each, clear };
inline constexpr std::size_t kinds = 7;

/// One operation on one key. clear() is one on every key, and so is for_each(): what it told of that key.
struct operation {
  kind what = kind::find;
  int thread = 0;
  int key = 0;
  value argument = 0;          // insert, insert_or_assign, erase_if_equal
  std::optional<value> found;  // find, erase, for_each
  bool done = false;           // insert, erase_if_equal
  time_point invoked = 0;
  time_point returned = pending;
};

[[nodiscard]] constexpr bool overlap(const operation& a, const operation& b) noexcept {
  return a.invoked < b.returned && b.invoked < a.returned;
}

/// A call of for_each() and what it visited, in its order.
struct walk {
  operation call;
  std::vector<std::pair<int, value>> visited;
};

class history_clock {
 public:
  time_point tick() noexcept {
    return now_.fetch_add(1, std::memory_order_relaxed);
  }  // why relaxed: see above

 private:
  std::atomic<time_point> now_{0};
};

/// What one thread did. Its own, so that recording needs no synchronisation.
struct thread_log {
  std::vector<operation> operations;  // all but the walks; the key of a clear() means nothing
  std::vector<walk> walks;
};

using history = std::vector<thread_log>;

/// How many calls were made.
[[nodiscard]] inline std::size_t calls(const history& of) noexcept {
  std::size_t count = 0;
  for (const auto& log : of) count += log.operations.size() + log.walks.size();
  return count;
}

}  // namespace racelab::linear
