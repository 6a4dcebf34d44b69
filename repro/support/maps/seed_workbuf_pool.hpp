// The blog post's work buffers: helpers take full ones from a pool and scan them. get_full() returns null when there is
// nothing left to steal, and nobody between it and the function that reads the buffer checks. (The post's chain of calls
// does not exist in Go, whose gcDrain checks; the mistake is real.) Every access is locked or atomic: no data race.
#pragma once

#include <atomic>
#include <cstddef>
#include <utility>
#include <vector>

#include "sanitizers/annotations/annotated_mutex.hpp"

namespace racelab {

template <class Key, class Value> class seed_workbuf_pool {
 public:
  struct workbuf {
    Key key;
    Value value;
  };

  void put_full(workbuf* work) {
    const mutex_lock lock(mutex_);
    full_.push_back(work);
    full_count_.fetch_add(1, std::memory_order_relaxed);
  }

  [[nodiscard]] bool has_work() const { return full_count_.load(std::memory_order_relaxed) != 0; }

  /// Scans full buffers for as long as there are any: visit(key, value) for each, then frees it.
  template <class Visit> [[gnu::noinline]] void drain(Visit visit) {
    while (has_work()) drain_one(visit);
  }

 private:
  // The bug: there was work when drain() looked, and another thread may have taken it since.
  template <class Visit> [[gnu::noinline]] void drain_one(Visit& visit) {
    workbuf* const work = get_full();
    grow_work(work, visit);
    delete work;
  }

  template <class Visit> [[gnu::noinline]] static void grow_work(workbuf* work, Visit& visit) {
    visit(work->key, work->value);
  }

  /// A full buffer; null if there is none.
  [[gnu::noinline]] workbuf* get_full() {
    const mutex_lock lock(mutex_);
    if (full_.empty()) return nullptr;
    workbuf* const work = full_.back();
    full_.pop_back();
    full_count_.fetch_sub(1, std::memory_order_relaxed);
    return work;
  }

  annotated_mutex mutex_;
  std::vector<workbuf*> full_ RACELAB_GUARDED_BY(mutex_);
  // Relaxed: only a hint; who takes a buffer looks again under the lock.
  std::atomic<std::size_t> full_count_{0};
};

template <class Key, class Value> using lab_map = seed_workbuf_pool<Key, Value>;

}  // namespace racelab
