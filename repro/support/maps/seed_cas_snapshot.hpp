// The blog post's snapshot map: a delete copies the snapshot, removes the key and publishes by
// compare-and-swap; where that fails, the post says "retry or skip". This one skips. There is no data race in
// it, only a lost delete.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>

namespace racelab {

template <class Key, class Value> class seed_cas_snapshot {
 public:
  using key_type = Key;
  using mapped_type = Value;

  seed_cas_snapshot() = default;
  seed_cas_snapshot(const seed_cas_snapshot&) = delete;
  seed_cas_snapshot& operator=(const seed_cas_snapshot&) = delete;

  // Snapshots live until the end, as if a collector had not run: a chain from the newest to the first.
  ~seed_cas_snapshot() {
    const snapshot* each = current_.load(std::memory_order_relaxed);
    while (each != nullptr) delete std::exchange(each, each->previous);
  }

  [[gnu::noinline]] std::optional<Value> find(const Key& key) const {
    const auto& now = current_.load(std::memory_order_acquire)->entries;  // pairs with change()'s release
    const auto at = now.find(key);
    return at == now.end() ? std::nullopt : std::optional<Value>(at->second);
  }

  [[gnu::noinline]] void insert_or_assign(const Key& key, const Value& value) {
    while (!change([&](auto& entries) { entries.insert_or_assign(key, value); })) {
    }
  }

  [[gnu::noinline]] std::optional<Value> erase(const Key& key) {
    std::optional<Value> removed;
    change([&](auto& entries) {
      if (auto node = entries.extract(key)) removed = node.mapped();
    });  // the bug: nobody looks whether it was published
    return removed;
  }

  template <class Visit> void for_each(Visit visit) const {
    for (const auto& [key, value] : current_.load(std::memory_order_acquire)->entries) visit(key, value);
  }

  [[nodiscard]] std::size_t size() const { return current_.load(std::memory_order_acquire)->entries.size(); }

 private:
  struct snapshot {
    std::unordered_map<Key, Value> entries;
    const snapshot* previous = nullptr;
  };

  // False if another thread has published meanwhile; nothing is changed then.
  template <class Edit> bool change(Edit edit) {
    const snapshot* seen = current_.load(std::memory_order_acquire);
    auto next = std::make_unique<snapshot>(snapshot{seen->entries, seen});
    edit(next->entries);
    // Release publishes the new snapshot to find() and to the next change().
    if (!current_.compare_exchange_strong(seen, next.get(), std::memory_order_release,
                                          std::memory_order_relaxed))
      return false;
    static_cast<void>(next.release());
    return true;
  }

  std::atomic<const snapshot*> current_{new snapshot};
};

template <class Key, class Value> using lab_map = seed_cas_snapshot<Key, Value>;

}  // namespace racelab
