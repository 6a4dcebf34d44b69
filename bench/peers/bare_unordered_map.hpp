// std::unordered_map as it is, for one thread alone: the floor.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <unordered_map>
#include <utility>

namespace racelab::bench {

/// `Table` behind the three operations that the benchmarks need, without any synchronisation.
template <class Table> class bare_map {
 public:
  using key_type = typename Table::key_type;
  using mapped_type = typename Table::mapped_type;

  [[nodiscard]] std::optional<mapped_type> find(const key_type& key) const {
    const auto at = entries_.find(key);
    return at == entries_.end() ? std::nullopt : std::optional<mapped_type>(at->second);
  }
  bool insert(const key_type& key, const mapped_type& value) {
    return entries_.try_emplace(key, value).second;
  }
  void insert_or_assign(const key_type& key, const mapped_type& value) {
    entries_.insert_or_assign(key, value);
  }
  std::optional<mapped_type> erase(const key_type& key) {
    const auto at = entries_.find(key);
    if (at == entries_.end()) return std::nullopt;
    std::optional<mapped_type> removed(std::move(at->second));
    entries_.erase(at);
    return removed;
  }
  template <class Visit> void for_each(Visit visit) const {
    for (const auto& [key, value] : entries_) visit(key, value);
  }

 private:
  Table entries_;
};

template <class Key, class Value> struct bare_unordered_map : bare_map<std::unordered_map<Key, Value>> {
  static constexpr bool one_thread = true;
};

}  // namespace racelab::bench
