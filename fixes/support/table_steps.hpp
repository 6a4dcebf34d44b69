// What the remedies that lock do with an ordinary hash table once they have its lock. Whatever throws, the table is as it was.
#pragma once

#include <optional>
#include <utility>

namespace racelab::detail {

/// The value of `key`, by copy.
template <class Table>
[[nodiscard]] std::optional<typename Table::mapped_type> value_in(const Table& entries,
                                                                  const typename Table::key_type& key) {
  const auto at = entries.find(key);
  return at == entries.end() ? std::nullopt : std::optional<typename Table::mapped_type>(at->second);
}

/// Stores `value`, which is moved from. Where one is replaced, its own assignment decides what an exception leaves of it.
template <class Table>
void store_in(Table& entries, const typename Table::key_type& key, typename Table::mapped_type&& value) {
  const auto [at, fresh] = entries.try_emplace(key, std::move(value));
  if (!fresh) at->second = std::move(value);  // try_emplace moves only into a new entry
}

/// Removes `key`, whose value goes to `removed`, which is empty: the caller's one variable that is returned, so that no copy
/// could throw once the key is gone. True if it was there.
template <class Table>
bool take_from(Table& entries, const typename Table::key_type& key,
               std::optional<typename Table::mapped_type>& removed) {
  const auto at = entries.find(key);
  if (at == entries.end()) return false;
  removed.emplace(std::move_if_noexcept(at->second));
  entries.erase(at);
  return true;
}

/// Removes `key` only if it has this value; true if it did.
template <class Table>
bool erase_equal_in(Table& entries, const typename Table::key_type& key,
                    const typename Table::mapped_type& value) {
  const auto at = entries.find(key);
  if (at == entries.end() || !(at->second == value)) return false;
  entries.erase(at);
  return true;
}

}  // namespace racelab::detail
