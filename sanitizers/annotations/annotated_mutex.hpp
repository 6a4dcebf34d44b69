// Mutexes that clang's thread-safety analysis knows; libstdc++'s carry no annotations. A member declared
// RACELAB_GUARDED_BY(mutex) may then be touched only while the mutex is held, or clang refuses to compile it
// (-Wthread-safety). Other compilers see a std::mutex and a std::shared_mutex.
// Source of the annotations: https://clang.llvm.org/docs/ThreadSafetyAnalysis.html
#pragma once

#include <mutex>
#include <shared_mutex>

#ifdef __clang__
#define RACELAB_THREAD_SAFETY(annotation) __attribute__((annotation))
#else
#define RACELAB_THREAD_SAFETY(annotation)
#endif

/// After a member: to be touched only by who holds `mutex`.
#define RACELAB_GUARDED_BY(mutex) RACELAB_THREAD_SAFETY(guarded_by(mutex))
/// After a function's head: to be called only by who holds `mutex`.
#define RACELAB_REQUIRES(mutex) RACELAB_THREAD_SAFETY(requires_capability(mutex))
/// After a function's head: to be called only by who holds `mutex`, at least shared.
#define RACELAB_REQUIRES_SHARED(mutex) RACELAB_THREAD_SAFETY(requires_shared_capability(mutex))
/// After a function's head: breaks the rules on purpose, unchecked.
#define RACELAB_UNCHECKED_LOCKING RACELAB_THREAD_SAFETY(no_thread_safety_analysis)

namespace racelab {

class RACELAB_THREAD_SAFETY(capability("mutex")) annotated_mutex {
 public:
  void lock() RACELAB_THREAD_SAFETY(acquire_capability()) { mutex_.lock(); }
  bool try_lock() RACELAB_THREAD_SAFETY(try_acquire_capability(true)) { return mutex_.try_lock(); }
  void unlock() RACELAB_THREAD_SAFETY(release_capability()) { mutex_.unlock(); }

 private:
  std::mutex mutex_;
};

class RACELAB_THREAD_SAFETY(capability("shared_mutex")) annotated_shared_mutex {
 public:
  void lock() RACELAB_THREAD_SAFETY(acquire_capability()) { mutex_.lock(); }
  bool try_lock() RACELAB_THREAD_SAFETY(try_acquire_capability(true)) { return mutex_.try_lock(); }
  void unlock() RACELAB_THREAD_SAFETY(release_capability()) { mutex_.unlock(); }
  void lock_shared() RACELAB_THREAD_SAFETY(acquire_shared_capability()) { mutex_.lock_shared(); }
  bool try_lock_shared() RACELAB_THREAD_SAFETY(try_acquire_shared_capability(true)) {
    return mutex_.try_lock_shared();
  }
  void unlock_shared() RACELAB_THREAD_SAFETY(release_shared_capability()) { mutex_.unlock_shared(); }

 private:
  std::shared_mutex mutex_;
};

/// Holds a mutex, exclusively, for as long as it lives.
template <class Mutex> class RACELAB_THREAD_SAFETY(scoped_lockable) mutex_lock {
 public:
  explicit mutex_lock(Mutex& mutex) RACELAB_THREAD_SAFETY(acquire_capability(mutex)) : mutex_(mutex) {
    mutex_.lock();
  }
  ~mutex_lock() RACELAB_THREAD_SAFETY(release_capability()) { mutex_.unlock(); }
  mutex_lock(const mutex_lock&) = delete;
  mutex_lock& operator=(const mutex_lock&) = delete;

 private:
  Mutex& mutex_;
};

/// Holds a shared mutex, shared with other readers, for as long as it lives.
template <class Mutex> class RACELAB_THREAD_SAFETY(scoped_lockable) reader_lock {
 public:
  explicit reader_lock(Mutex& mutex) RACELAB_THREAD_SAFETY(acquire_shared_capability(mutex)) : mutex_(mutex) {
    mutex_.lock_shared();
  }
  // release_generic: clang takes the shared form for one that was acquired exclusively.
  ~reader_lock() RACELAB_THREAD_SAFETY(release_generic_capability()) { mutex_.unlock_shared(); }
  reader_lock(const reader_lock&) = delete;
  reader_lock& operator=(const reader_lock&) = delete;

 private:
  Mutex& mutex_;
};

}  // namespace racelab
