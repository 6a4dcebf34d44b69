// One read-write lock that prefers writers, around everything: an exhibit, which nobody should take. As long as a writer waits no
// reader comes in, and beside writers that never pause readers starve.
#pragma once

#include <pthread.h>

#include <mutex>
#include <optional>
#include <shared_mutex>
#include <unordered_map>

#include "bench/peers/bare_unordered_map.hpp"

namespace racelab::bench {

/// glibc's, of the kind that prefers writers; as std::shared_mutex has it otherwise.
class writer_first_mutex {
 public:
  writer_first_mutex() {
    pthread_rwlockattr_t kind;
    pthread_rwlockattr_init(&kind);
    pthread_rwlockattr_setkind_np(&kind, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(&lock_, &kind);
    pthread_rwlockattr_destroy(&kind);
  }
  ~writer_first_mutex() { pthread_rwlock_destroy(&lock_); }
  writer_first_mutex(const writer_first_mutex&) = delete;
  writer_first_mutex& operator=(const writer_first_mutex&) = delete;

  void lock() { pthread_rwlock_wrlock(&lock_); }
  void unlock() { pthread_rwlock_unlock(&lock_); }
  void lock_shared() { pthread_rwlock_rdlock(&lock_); }
  void unlock_shared() { pthread_rwlock_unlock(&lock_); }

 private:
  pthread_rwlock_t lock_{};
};

template <class Key, class Value> class writer_first_map {
 public:
  using key_type = Key;
  using mapped_type = Value;

  [[nodiscard]] std::optional<Value> find(const Key& key) const {
    const std::shared_lock lock(mutex_);
    return entries_.find(key);
  }
  bool insert(const Key& key, const Value& value) {
    const std::lock_guard lock(mutex_);
    return entries_.insert(key, value);
  }
  void insert_or_assign(const Key& key, const Value& value) {
    const std::lock_guard lock(mutex_);
    entries_.insert_or_assign(key, value);
  }
  std::optional<Value> erase(const Key& key) {
    const std::lock_guard lock(mutex_);
    return entries_.erase(key);
  }
  template <class Visit> void for_each(Visit visit) const {
    const std::shared_lock lock(mutex_);
    entries_.for_each(visit);
  }

 private:
  mutable writer_first_mutex mutex_;
  bare_map<std::unordered_map<Key, Value>> entries_;
};

}  // namespace racelab::bench
