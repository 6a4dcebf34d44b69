// Whose turn it is to report: one thread at a time. Shared by print_report and the crash handler.
#pragma once

#include <span>

#include "stacks/fatal.hpp"

namespace racelab::stacks {

enum class turn {
  taken,      // the caller reports now
  nested,     // the caller is in the middle of a report already: it has crashed there
  timed_out,  // another thread has been at it for a quarter of a minute
};

/// Waits for the turn. Signal-safe.
turn take_report_turn() noexcept;
void leave_report_turn() noexcept;

/// Dies by that signal, as if nobody had handled it. Returns only if the signal is blocked, as it is in its own handler; then it
/// strikes when the handler returns. Signal-safe.
void die_by(int signal_number) noexcept;

/// What print_report() writes after the message, by a caller whose turn it is.
void write_threads(int fd, std::span<const thread_trace> threads) noexcept;

}  // namespace racelab::stacks
