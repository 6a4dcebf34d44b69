// pthread_create, ahead of libc's: registers the new thread and keeps the creator's stack.
//
// std::thread's constructor lives in libstdc++.so and comes here too: the linker exports a symbol of the
// executable that one of its shared libraries refers to, and the executable comes first in the dynamic
// linker's search.
#include <dlfcn.h>
#include <pthread.h>

#include <atomic>
#include <cerrno>

#include "stacks/registry.hpp"

namespace racelab::stacks {
namespace {

using create_function = int (*)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);

create_function next_pthread_create() {
  // Relaxed: whoever finds it empty looks it up too and finds the same.
  static constinit std::atomic<create_function> found{nullptr};
  create_function function = found.load(std::memory_order_relaxed);
  if (function == nullptr) {
    function = reinterpret_cast<create_function>(dlsym(RTLD_NEXT, "pthread_create"));
    found.store(function, std::memory_order_relaxed);
  }
  return function;
}

void* run_registered_thread(void* reserved) {
  const start_call start = begin_thread(*static_cast<thread_record*>(reserved));
  return start.routine(start.argument);
}

}  // namespace
}  // namespace racelab::stacks

// Visible whatever -fvisibility says: libstdc++.so has to find it.
extern "C" [[gnu::visibility("default")]] int pthread_create(pthread_t* thread,
                                                             const pthread_attr_t* attributes,
                                                             void* (*routine)(void*),
                                                             void* argument) noexcept {
  using namespace racelab::stacks;
  const create_function create = next_pthread_create();
  if (create == nullptr) return EAGAIN;
  thread_record* const reserved = reserve_thread({routine, argument});
  if (reserved == nullptr) return create(thread, attributes, routine, argument);
  capture(reserved->created_by, 1);
  const int error = create(thread, attributes, run_registered_thread, reserved);
  if (error != 0) give_back_thread(*reserved);
  return error;
}
