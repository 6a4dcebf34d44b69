// Mechanism: what makes a thread wait, told by where it stands while it waits.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "stacks/symbolise.hpp"

namespace racelab::verdict {

/// Whether ThreadSanitizer knows of the order that such waiting makes.
enum class sight {
  hidden,   // it doesn't: a report on what is ordered so is false
  seen,     // it does, and reported all the same: the order is of this run alone
  racy,     // the thread waits by reading plain memory: that is a race itself
  unknown,  // the thread was not waiting, or nowhere in particular
};

struct mechanism {
  sight what = sight::unknown;
  std::string cause;   // as docs/judge.md lists them: asm-lock, raw-syscall, clock-lock, openmp, …
  std::string detail;  // where: a function, a library
};

/// Of a thread's stack, innermost first. `program` is the path of the program's own executable; `called_by` tells which function
/// of a library a frame calls, empty if it doesn't know (place_names::called_by).
[[nodiscard]] mechanism mechanism_of(const std::vector<stacks::frame>& waiting, std::string_view program,
                                     const std::function<std::string(const stacks::frame&)>& called_by);

/// What most of the stacks say; an order that ThreadSanitizer sees outweighs all others. A racy one is told only if at least
/// half of the stacks are of it, and then outweighs the others; fewer leave nothing known.
[[nodiscard]] mechanism common_mechanism(const std::vector<mechanism>& seen);

}  // namespace racelab::verdict
