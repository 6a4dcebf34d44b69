// Threads: small numbers for them, who created each, and a way to ask another thread for its stack.
//
// Linked with racelab_stacks_threads, every thread that pthread_create starts (std::thread, std::jthread) is
// registered before its start routine runs, numbered in the order of creation. Without it a thread is
// registered at its first call of self(), and nobody knows who created it.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "stacks/capture.hpp"

namespace racelab::stacks {

/// So many threads can be registered at a time.
inline constexpr std::size_t max_threads = 4096;

/// What is known of one thread. Records live for the whole process and are reused only after their thread has
/// ended, so a pointer to one may be kept by a detector and looked at later; compare `id` to know that it is
/// still the same thread.
struct thread_record {
  std::atomic<std::uint32_t> id{0};  // 1 is the main thread; numbers are not reused
  std::atomic<pid_t> tid{0};         // the kernel's; 0 once the thread has ended
  raw_trace created_by;  // the spawn point's stack; size 0 if unknown. Written before the thread runs
  std::atomic<const void*> busy_with{nullptr};  // for a detector: the object that this thread is changing now
};

/// The calling thread's record, registered at its first use. Never fails: past max_threads live threads, and
/// in a thread that is ending (past the destructors of its thread_local objects), the record is one shared by
/// all such threads, with id and tid 0. Signal-safe.
thread_record& self() noexcept;

/// self() without the call, for hot paths: null until the thread is registered.
extern constinit thread_local thread_record* current __attribute__((tls_model("initial-exec")));

/// Calls visit(thread_record&, argument) for every live thread, which may end meanwhile. Signal-safe if visit
/// is.
void for_each_thread(void (*visit)(thread_record&, void*), void* argument) noexcept;

/// How many registered threads are alive. One relaxed load.
[[nodiscard]] std::uint32_t live_threads() noexcept;

/// Asks `other` for its stack: a signal (SIGRTMIN+3), and libunwind in its handler. False if it has ended or
/// does not answer within `patience` (it may block the signal). Safe to call from several threads at once, on
/// oneself (then it is capture()), and from a signal handler; a thread that waits for an answer gives its own
/// meanwhile.
///
/// A thread that is blocked in a system call goes back to it: by SA_RESTART, or, on x86-64, by begin_again(); there a
/// time-out begins anew.
bool capture_other(thread_record& other, raw_trace& into, std::chrono::milliseconds patience) noexcept;

}  // namespace racelab::stacks
