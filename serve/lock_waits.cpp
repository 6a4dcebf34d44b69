#include "serve/lock_waits.hpp"

#include <pthread.h>

#include <cerrno>
#include <chrono>

namespace racelab::serve {
namespace {

constinit thread_local lock_use* counting = nullptr;

template <class Try, class Lock> int counted(Try try_lock, Lock lock) {
  lock_use& use = *counting;
  add(use.taken);
  if (const int error = try_lock(); error != EBUSY && error != EAGAIN) return error;
  const auto start = std::chrono::steady_clock::now();
  const int error = lock();
  const std::chrono::nanoseconds waited = std::chrono::steady_clock::now() - start;
  add(use.waits);
  add(use.waited_ns, static_cast<std::uint64_t>(waited.count()));
  return error;
}

}  // namespace

inside_map::inside_map(lock_use& into) noexcept { counting = &into; }
inside_map::~inside_map() { counting = nullptr; }

}  // namespace racelab::serve

// The linker's names. Each has the arguments and the result of the function that it stands for.
extern "C" {

int __real_pthread_mutex_lock(pthread_mutex_t* mutex);
int __real_pthread_rwlock_rdlock(pthread_rwlock_t* lock);
int __real_pthread_rwlock_wrlock(pthread_rwlock_t* lock);

int __wrap_pthread_mutex_lock(pthread_mutex_t* mutex) {
  if (racelab::serve::counting == nullptr) return __real_pthread_mutex_lock(mutex);
  return racelab::serve::counted([&] { return pthread_mutex_trylock(mutex); },
                                 [&] { return __real_pthread_mutex_lock(mutex); });
}

int __wrap_pthread_rwlock_rdlock(pthread_rwlock_t* lock) {
  if (racelab::serve::counting == nullptr) return __real_pthread_rwlock_rdlock(lock);
  return racelab::serve::counted([&] { return pthread_rwlock_tryrdlock(lock); },
                                 [&] { return __real_pthread_rwlock_rdlock(lock); });
}

int __wrap_pthread_rwlock_wrlock(pthread_rwlock_t* lock) {
  if (racelab::serve::counting == nullptr) return __real_pthread_rwlock_wrlock(lock);
  return racelab::serve::counted([&] { return pthread_rwlock_trywrlock(lock); },
                                 [&] { return __real_pthread_rwlock_wrlock(lock); });
}

}  // extern "C"
