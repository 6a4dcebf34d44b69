// The plainest table of a snapshot: the next one is a copy of the whole.
#pragma once

#include <cstddef>
#include <unordered_map>

namespace racelab {

template <class Key, class Value, class Hash, class Equal> class whole_table {
 public:
  using key_type = Key;
  using mapped_type = Value;

  [[nodiscard]] const Value* find(const Key& key) const {
    const auto at = entries_.find(key);
    return at == entries_.end() ? nullptr : &at->second;
  }

  template <class Visit> void for_each(Visit& visit) const {
    for (const auto& [key, value] : entries_) visit(key, value);
  }

  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }

  void put(const Key& key, const Value& value) { entries_.insert_or_assign(key, value); }

  bool remove(const Key& key) { return entries_.erase(key) == 1; }

  /// A copy has as many buckets as its original, also when most of the entries are gone since: gives them back.
  void settle() {
    if (entries_.bucket_count() > few_buckets && entries_.size() < entries_.bucket_count() / 4)
      entries_.rehash(0);
  }

 private:
  static constexpr std::size_t few_buckets = 64;

  std::unordered_map<Key, Value, Hash, Equal> entries_;
};

}  // namespace racelab
