// A system call that a signal of ours interrupts, and its going on afterwards.
//
// Linux restarts msgrcv, semop, poll, epoll_wait, nanosleep, sigsuspend and some more after no handler, SA_RESTART or not
// (signal(7)): they return EINTR. A program that handles no signals need not expect that: who is let through by an
// interrupted semop has no lock, and a race that is seen then is none of the program's.
#pragma once

#include <sys/types.h>

#include <cstdint>

namespace racelab::stacks {

/// What a thread is blocked in. `number` is -1 if it is in no system call, or nobody knows.
struct blocked_call {
  long number = -1;
  std::uintptr_t pc = 0;  // of the next instruction
  std::uintptr_t sp = 0;
};

/// Of another thread of this process, by /proc. Signal-safe.
[[nodiscard]] blocked_call blocked_call_of(pid_t tid) noexcept;

/// In a signal's handler, with its third argument: makes a call that the signal has ended with EINTR begin again when the handler
/// returns, with its whole time-out. `known` is what the thread was blocked in before the signal; a call that came after is
/// told by its instructions, if they load its number just before. Only on x86-64; all other calls end as they do.
void begin_again(void* ucontext, const blocked_call& known) noexcept;

}  // namespace racelab::stacks
