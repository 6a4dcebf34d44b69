// Unseen: who wrote where a value changed and nobody was seen? Code that is not instrumented, and its callers are known.
#pragma once

#include <optional>
#include <string>

#include "sanitizers/verdict/runner.hpp"
#include "sanitizers/verdict/targets.hpp"

namespace racelab::verdict {

/// A function of a library that is not instrumented, which another thread executed, or calls where it was.
struct unseen_writer {
  std::string library;   // libstdc++.so.6
  std::string function;  // in short
  judged_site caller;    // in instrumented code
  bool inside = false;   // a thread was seen in it
};

/// Looks in a few runs where the other threads are while the thread of such a catch is stalled again. Nothing if they call no
/// such library.
[[nodiscard]] std::optional<unseen_writer> find_writer(const target& of, runner& runs);

/// "rotate() (file:21), which calls … of libstdc++.so.6".
[[nodiscard]] std::string text_of(const unseen_writer& writer);

}  // namespace racelab::verdict
