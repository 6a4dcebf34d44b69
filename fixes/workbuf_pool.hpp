// Work buffers that helpers steal from each other: a pool whose null is checked where it arrives.
// for: crash_nil_workbuf
//
// Thread safety
//   Any thread may call any operation at any time.
//
// Invariants
//   1. The stack of full buffers is touched only while the mutex is held, and owns what is on it.
//   2. take() may come back with nothing, whatever was seen before: the only test of emptiness that counts is its own,
//      under the lock. Nobody reads a buffer but who got one.
//
// Reclamation
//   A buffer belongs to the pool, then to the one thread that took it, which frees it.
//
// Cost
//   An uncontended lock and unlock for each buffer, and one more call that finds nothing for each thread at the end.
//
// When not to use it
//   Where a helper should wait for work that is still to come: that needs a condition variable. Here it goes home.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "sanitizers/annotations/annotated_mutex.hpp"

namespace racelab {

template <class Key, class Value> class workbuf_pool {
 public:
  struct workbuf {
    Key key;
    Value value;
  };

  /// Takes `work` over.
  void put_full(workbuf* work) {
    std::unique_ptr<workbuf> owned(work);
    const mutex_lock lock(mutex_);
    full_.push_back(std::move(owned));
  }

  /// Scans full buffers until there is none: visit(key, value) for each, then frees it.
  template <class Visit> void drain(Visit visit) {
    while (const std::unique_ptr<workbuf> work = take()) visit(work->key, work->value);
  }

 private:
  /// A full buffer; null if there is none.
  [[nodiscard]] std::unique_ptr<workbuf> take() {
    const mutex_lock lock(mutex_);
    if (full_.empty()) return nullptr;
    std::unique_ptr<workbuf> work = std::move(full_.back());
    full_.pop_back();
    return work;
  }

  annotated_mutex mutex_;
  std::vector<std::unique_ptr<workbuf>> full_ RACELAB_GUARDED_BY(mutex_);
};

}  // namespace racelab
