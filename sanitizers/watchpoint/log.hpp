// The record log: one JSON object a line, appended with one write each, so that a crash loses nothing.
#pragma once

#include "sanitizers/watchpoint/watchpoint.hpp"

namespace racelab::watch {

/// Opens `path` for appending. False, with errno, if it can't.
bool open_log(const char* path) noexcept;

/// Writes a line for `what`, preceded by a `modules` line whenever the process's modules have changed. Does
/// nothing without a log. Takes
/// nothing from the heap.
void write_log(const record& what) noexcept;

}  // namespace racelab::watch
