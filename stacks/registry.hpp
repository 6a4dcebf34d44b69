// Registry: the inside of threads.hpp, for pthread_create's stand-in, the crash handler and tests.
#pragma once

#include "stacks/threads.hpp"

namespace racelab::stacks {

/// A thread's start routine as pthread_create takes it.
struct start_call {
  void* (*routine)(void*) = nullptr;
  void* argument = nullptr;
};

/// Takes a free record for a thread that is about to be created by the calling one, numbers it and keeps
/// `start` with it. Null if max_threads are live. The caller fills created_by.
thread_record* reserve_thread(start_call start) noexcept;

/// Gives back a reserved record whose thread could not be created.
void give_back_thread(thread_record& reserved) noexcept;

/// Called first thing in the new thread: makes the record its own and returns what was kept with it.
start_call begin_thread(thread_record& reserved) noexcept;

/// From now on each thread that is registered gets an alternate signal stack, unless it has one; the calling
/// thread and any that forks keep theirs. Frees them at the thread's end.
void give_alternate_stacks() noexcept;

/// After a fork, in the child: nobody is waiting for an answer.
void forget_capture_requests() noexcept;

}  // namespace racelab::stacks
