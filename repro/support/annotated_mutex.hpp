// A mutex that clang's thread-safety analysis knows; libstdc++'s std::mutex carries no annotations. A member declared
// RACELAB_GUARDED_BY(mutex) may then be touched only while the mutex is held, or clang refuses to compile it
// (-Wthread-safety). Other compilers see a std::mutex.
// Source of the annotations: https://clang.llvm.org/docs/ThreadSafetyAnalysis.html
#pragma once

#include <mutex>

#ifdef __clang__
#define RACELAB_THREAD_SAFETY(annotation) __attribute__((annotation))
#else
#define RACELAB_THREAD_SAFETY(annotation)
#endif

/// After a member: to be touched only by who holds `mutex`.
#define RACELAB_GUARDED_BY(mutex) RACELAB_THREAD_SAFETY(guarded_by(mutex))
/// After a function's head: to be called only by who holds `mutex`.
#define RACELAB_REQUIRES(mutex) RACELAB_THREAD_SAFETY(requires_capability(mutex))
/// After a function's head: breaks the rules on purpose, unchecked.
#define RACELAB_UNCHECKED_LOCKING RACELAB_THREAD_SAFETY(no_thread_safety_analysis)

namespace racelab {

class RACELAB_THREAD_SAFETY(capability("mutex")) annotated_mutex {
 public:
  void lock() RACELAB_THREAD_SAFETY(acquire_capability()) { mutex_.lock(); }
  void unlock() RACELAB_THREAD_SAFETY(release_capability()) { mutex_.unlock(); }

 private:
  std::mutex mutex_;
};

/// Holds a mutex for as long as it lives.
class RACELAB_THREAD_SAFETY(scoped_lockable) mutex_lock {
 public:
  explicit mutex_lock(annotated_mutex& mutex) RACELAB_THREAD_SAFETY(acquire_capability(mutex))
      : mutex_(mutex) {
    mutex_.lock();
  }
  ~mutex_lock() RACELAB_THREAD_SAFETY(release_capability()) { mutex_.unlock(); }
  mutex_lock(const mutex_lock&) = delete;
  mutex_lock& operator=(const mutex_lock&) = delete;

 private:
  annotated_mutex& mutex_;
};

}  // namespace racelab
