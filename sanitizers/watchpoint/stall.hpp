// A stall: the thread waits before its access, behind a watchpoint.
#pragma once

#include <cstdint>
#include <optional>

#include "sanitizers/watchpoint/watchpoint.hpp"

namespace racelab::watch {

/// Which signals are put off while a thread is stalled. Once, before there are threads.
void choose_signals() noexcept;

/// Stalls the calling thread as `how` says, unless the table of watchpoints is full.
void stall_before(const access& what, std::uint32_t visit, const stall& how) noexcept;

/// Not by a function of libc, in which a thread might be cancelled.
void sleep_for(std::uint32_t microseconds) noexcept;

/// Lets the thread wait without a watchpoint: nobody who comes is caught. That is for atomic operations, of which two may be
/// under way at one time.
void delay_before(const access& what, std::uint32_t visit, const stall& how) noexcept;

/// The bytes as a number, as the access that follows finds them. For accesses of up to 8 bytes that are no free.
[[nodiscard]] std::uint64_t value_before(const access& what) noexcept;
/// The same after a stall, in which the bytes may have gone, by mremap or with the stack of a thread that has ended: the
/// kernel reads them, and says if it can't.
[[nodiscard]] std::optional<std::uint64_t> value_after(const access& what) noexcept;
[[nodiscard]] constexpr bool has_value(const access& what) noexcept {
  return !what.release && what.size != 0 && what.size <= 8;
}

/// This access of a running thread, made while others are stalled: perhaps it meets one of them; perhaps one has stood
/// aside for long enough. True if it has met one.
bool meet_stalled(const access& what) noexcept;

/// Before the last running thread stalls, the one that is due first gets up, unless a rule stalls it: somebody has to
/// come. (One of the live threads may be waiting for the others to end.)
void hand_over() noexcept;

/// Forgets which pairs have been recorded.
void forget_records() noexcept;
void set_record_handler(record_function handler) noexcept;

}  // namespace racelab::watch
