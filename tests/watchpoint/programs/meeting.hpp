// Where two threads of a small program meet: who sets may_stall is stalled before its next access there.
#pragma once

#include <cstdint>

#include "sanitizers/watchpoint/watchpoint.hpp"

inline std::uint64_t met_here = 0;
inline thread_local bool may_stall = false;

inline racelab::watch::stall stall_at_meeting(const racelab::watch::access& what, std::uint32_t /*visit*/) {
  if (!may_stall || what.address != reinterpret_cast<std::uintptr_t>(&met_here)) return {};
  may_stall = false;
  return {.microseconds = 10'000'000, .until_hit = true};
}
