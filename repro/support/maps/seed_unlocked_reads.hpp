// The blog post's "unsafe.Map" advice (the type does not exist): writers exclude each other by a lock,
// readers take none. An entry that a reader stands on may be freed at any time: the reader is in no critical
// section.
#pragma once

#include <cstddef>
#include <optional>
#include <unordered_map>
#include <utility>

#include "sanitizers/annotations/annotated_mutex.hpp"

namespace racelab {

template <class Key, class Value> class seed_unlocked_reads {
 public:
  using key_type = Key;
  using mapped_type = Value;

  // The bug: no lock. clang's thread-safety analysis would refuse it, so here and below it has to look away.
  [[gnu::noinline]] std::optional<Value> find(const Key& key) const RACELAB_UNCHECKED_LOCKING {
    const auto at = entries_.find(key);
    return at == entries_.end() ? std::nullopt : std::optional<Value>(at->second);
  }

  [[gnu::noinline]] void insert_or_assign(const Key& key, const Value& value) {
    const mutex_lock lock(writers_);
    entries_.insert_or_assign(key, value);
  }

  [[gnu::noinline]] std::optional<Value> erase(const Key& key) {
    const mutex_lock lock(writers_);
    const auto at = entries_.find(key);
    if (at == entries_.end()) return std::nullopt;
    std::optional<Value> removed(std::move(at->second));
    entries_.erase(at);
    return removed;
  }

  template <class Visit> void for_each(Visit visit) const RACELAB_UNCHECKED_LOCKING {
    for (const auto& [key, value] : entries_) visit(key, value);
  }

  [[nodiscard]] std::size_t size() const RACELAB_UNCHECKED_LOCKING { return entries_.size(); }

 private:
  annotated_mutex writers_;
  std::unordered_map<Key, Value> entries_ RACELAB_GUARDED_BY(writers_);
};

template <class Key, class Value> using lab_map = seed_unlocked_reads<Key, Value>;

}  // namespace racelab
