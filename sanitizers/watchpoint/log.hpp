// The record log: one JSON object a line, appended with one write each, so that a crash loses nothing.
#pragma once

#include <span>

#include "sanitizers/watchpoint/lock_graph.hpp"
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

/// Writes that the calling thread `me` takes this lock while it holds those.
void write_nested_lock(const stacks::thread_record& me, std::uintptr_t lock,
                       std::span<const std::uintptr_t> held) noexcept;

/// Writes a deadlock: each of these threads waits for a lock of the next one. One of them is the calling thread.
void write_deadlock(std::span<thread_locks* const> cycle) noexcept;

}  // namespace racelab::watch
