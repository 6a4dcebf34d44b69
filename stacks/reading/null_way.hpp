// Null way: where the null pointer that a frame used came from, as far as the source text tells.
//
// From the line at which the fault came it takes the pointer that is used there; where that is a parameter, the caller's
// argument; where it is a variable, the call whose result it was given last. It reads text, not debug information: a
// variable with two meanings on one way, a macro or an alias can mislead it, and each row names its line to be looked at.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "stacks/reading/crash.hpp"

namespace racelab::reading {

struct null_step {
  std::optional<std::size_t> frame;  // in the thread; nothing for a function that has returned
  std::string function;
  std::string file;
  unsigned line = 0;
  std::string text;     // the line itself
  std::string what;     // "reads through `work`"
  bool checks = false;  // something on its way compares the pointer with null before this line
  bool source = false;  // here null comes from: returning it is allowed
};

/// The lines of a source file; nothing if it is not to be had.
using source_of = std::function<std::optional<std::vector<std::string>>(const std::string& file)>;

/// From the frame `thrower` outwards, then the function that returned null. Empty if the text does not tell.
[[nodiscard]] std::vector<null_step> way_of_null(const thread& one, std::size_t thrower,
                                                 const source_of& sources);

}  // namespace racelab::reading
