// Raw lines: a trace as module+offset, written by the dying process itself when no child can do better.
#pragma once

#include <span>

#include "stacks/fatal.hpp"

namespace racelab::stacks {

/// Writes each thread like print_report, with one line `<tab>module+0xoffset` for each frame, as addr2line
/// and llvm-symbolizer take it. Finds the modules in /proc/self/maps by open, read and close: signal-safe.
void write_raw_threads(int fd, std::span<const thread_trace> threads) noexcept;

}  // namespace racelab::stacks
