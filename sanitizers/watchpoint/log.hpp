// The record log: one JSON object a line, appended with one write each, so that a crash loses nothing.
#pragma once

#include "sanitizers/watchpoint/watchpoint.hpp"
#include "stacks/threads.hpp"

namespace racelab::watch {

/// Opens `path` for appending. False, with errno, if it can't.
bool open_log(const char* path) noexcept;

/// Writes a line with the process's modules, unless they are the same as in the one before. Does nothing without a log,
/// as the rest.
void write_modules() noexcept;

/// Writes a line for `what`, preceded by one with the modules when these have changed. Takes nothing from the heap.
void write_log(const record& what) noexcept;

/// Writes what `me`, the calling thread, was stalled at, and the stacks of all other threads, which are asked for them.
void write_others(const side& stalled, const stacks::thread_record& me) noexcept;

}  // namespace racelab::watch
