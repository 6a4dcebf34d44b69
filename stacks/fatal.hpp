// Fatal: a Go-style report of one or more threads on a file descriptor, and the crash handler that prints
// one.
//
// Symbolising needs the heap, and at a fatal error the heap may be what is broken. So the dying process only
// writes numbers; a child (the same executable, started again, which stops before main) reads this process's
// modules from /proc and prints. Environment: RACELAB_TRACEBACK=none|single|all|system|crash
//   none    the message only, and no child
//   single  (default) the offending threads
//   all     then every other registered thread, within a second; those with one stack are told once, with their number
//   system  as single, with the frames of detectors and runtimes, and names in full
//   crash   as all with what system shows, then SIGABRT in place of an exit: a core file, where the limits allow it
// A level with `,json` behind it (all,json) prints the threads as one line of JSON.
//
// The child is forked without fork handlers and reaped here; a program that waits for any child, or handles
// SIGCHLD, may see it. This code has to be linked into the executable or a library it needs at start-up, not
// into one that it opens later: the child would not stop before main.
#pragma once

#include <span>

#include "stacks/threads.hpp"

namespace racelab::stacks {

/// One thread's part of a report.
struct thread_trace {
  std::uint32_t id = 0;
  const char* state = "running";  // printed in brackets, as Go does; cut after 31 bytes
  raw_trace stack;                // size 0: `note` is printed in its place
  raw_trace created_by;
  const char* note = nullptr;  // a line below the header, cut after 159 bytes, or null
};

/// Writes `message`, an empty line, then each thread, and waits until it is written. Allocates nothing in
/// this process and takes no lock, so it may be called from a signal handler. Reports of several threads come
/// one after the other. If the child can't be started or takes longer than 10 s, the frames come out as
/// module+offset.
void print_report(int fd, const char* message, std::span<const thread_trace> threads) noexcept;

/// print_report(), then _exit(exit_code). Another thread that crashes or has a report to make meanwhile waits
/// for this end, so that the first error decides how the process ends.
[[noreturn]] void die_with_report(int fd, const char* message, std::span<const thread_trace> threads,
                                  int exit_code) noexcept;

/// SIGSEGV, SIGBUS, SIGILL, SIGFPE and SIGABRT print `fatal error: unexpected signal`, the line
/// `[signal SIGSEGV: segmentation violation code=… addr=… pc=…]` and the thread's stack on stderr, from an
/// alternate stack that the calling thread and every thread registered from now on gets; then the process
/// dies by that very signal. A thread that crashes while another one's report is printed waits for the
/// process to die.
void install_crash_handler() noexcept;

}  // namespace racelab::stacks
