// The blog post's hybrid cache: lock-free reads through an atomic pointer, deletes under a mutex. Its delete,
// as the post words it, clears the old map and then stores the new one, while readers still walk the old one.
// Snapshots are kept until the end, as Go's collector would keep them for a reader: what fails here is the
// order, not reclamation.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "sanitizers/annotations/annotated_mutex.hpp"

namespace racelab {

template <class Key, class Value, class Table = std::unordered_map<Key, Value>> class seed_hybrid_cache {
 public:
  using key_type = Key;
  using mapped_type = Value;

  seed_hybrid_cache() {
    const mutex_lock lock(writers_);
    publish_locked(std::make_unique<table>());
  }

  [[gnu::noinline]] std::optional<Value> find(const Key& key) const {
    const table& now =
        *current_.load(std::memory_order_acquire);  // pairs with publish_locked()'s release: the whole table
    const auto at = now.find(key);
    return at == now.end() ? std::nullopt : std::optional<Value>(at->second);
  }

  [[gnu::noinline]] void insert_or_assign(const Key& key, const Value& value) {
    const mutex_lock lock(writers_);
    auto next = std::make_unique<table>(*snapshots_.back());
    next->insert_or_assign(key, value);
    publish_locked(std::move(next));
  }

  [[gnu::noinline]] std::optional<Value> erase(const Key& key) {
    const mutex_lock lock(writers_);
    table& old = *snapshots_.back();
    auto next = std::make_unique<table>(old);
    auto removed = next->extract(key);
    old.clear();  // the bug: readers are still in it
    publish_locked(std::move(next));
    return removed.empty() ? std::nullopt : std::optional<Value>(removed.mapped());
  }

  template <class Visit> void for_each(Visit visit) const {
    for (const auto& [key, value] : *current_.load(std::memory_order_acquire)) visit(key, value);
  }

  [[nodiscard]] std::size_t size() const { return current_.load(std::memory_order_acquire)->size(); }

 private:
  using table = Table;

  void publish_locked(std::unique_ptr<table> next) RACELAB_REQUIRES(writers_) {
    current_.store(next.get(), std::memory_order_release);  // publishes the table to find()
    snapshots_.push_back(std::move(next));
  }

  std::atomic<const table*> current_{nullptr};
  annotated_mutex writers_;
  std::vector<std::unique_ptr<table>> snapshots_ RACELAB_GUARDED_BY(writers_);
};

template <class Key, class Value> using lab_map = seed_hybrid_cache<Key, Value>;

}  // namespace racelab
