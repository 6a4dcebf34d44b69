// Profile: what all threads of this process were doing, by their stacks, and the lock that they wait for.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "stacks/symbolise.hpp"

namespace racelab::serve {

/// A stack that was seen, innermost frame first, and how often.
struct sampled_stack {
  std::vector<stacks::frame> frames;
  std::uint64_t count = 0;
};

/// Takes the stacks of all threads but the calling one, again and again for `length`, a pause of `every` between; less if it is
/// stopped. Throws std::system_error if the process's modules can't be read.
[[nodiscard]] std::vector<sampled_stack> sample_threads(std::chrono::milliseconds length,
                                                        std::chrono::milliseconds every,
                                                        const std::stop_token& stop);

/// The pthread function that takes a mutex or a read-write lock, or what is below it.
[[nodiscard]] bool is_lock_frame(const stacks::frame& candidate);

/// True for the stack of a thread that waits for work: for events, for time to pass, for a condition.
[[nodiscard]] bool is_idle(const sampled_stack& stack);

/// Who waits for a lock most often: the function of ours that takes it, and the share of the busy threads' samples that were
/// waiting there.
struct contended_lock {
  std::string function;  // short
  std::string file;
  int line = 0;
  double share = 0;
};

/// Nothing if no thread was seen waiting for a lock.
[[nodiscard]] std::optional<contended_lock> most_contended(const std::vector<sampled_stack>& samples);

}  // namespace racelab::serve
