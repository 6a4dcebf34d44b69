// The lab's map contract over a map with std::unordered_map's interface. Unsynchronised: what the map itself
// does is what races.
#pragma once

#include <cstddef>
#include <optional>
#include <utility>

namespace racelab {

/// `Map`: std::unordered_map, boost::unordered_flat_map, or one of these checked. Values come and go by copy,
/// so that a caller holds no reference into the map. The operations stay out of line, so that a stack names
/// them.
template <class Map> class std_adapter {
 public:
  using key_type = typename Map::key_type;
  using mapped_type = typename Map::mapped_type;

  [[gnu::noinline]] std::optional<mapped_type> find(const key_type& key) const {
    const auto at = entries_.find(key);
    if (at == entries_.end()) return std::nullopt;
    return at->second;
  }

  /// True if `key` was not there and is now.
  [[gnu::noinline]] bool insert(const key_type& key, const mapped_type& value) {
    return entries_.emplace(key, value).second;
  }

  [[gnu::noinline]] void insert_or_assign(const key_type& key, const mapped_type& value) {
    entries_.insert_or_assign(key, value);
  }

  /// The value that was removed, if any.
  [[gnu::noinline]] std::optional<mapped_type> erase(const key_type& key) {
    const auto at = entries_.find(key);
    if (at == entries_.end()) return std::nullopt;
    std::optional<mapped_type> removed(std::move(at->second));
    entries_.erase(at);
    return removed;
  }

  /// Removes `key` only if it has this value; true if it did.
  [[gnu::noinline]] bool erase_if_equal(const key_type& key, const mapped_type& value) {
    const auto at = entries_.find(key);
    if (at == entries_.end() || !(at->second == value)) return false;
    entries_.erase(at);
    return true;
  }

  /// Calls visit(key, value) for every entry.
  template <class Visit> [[gnu::noinline]] void for_each(Visit visit) const {
    for (const auto& [key, value] : entries_) visit(key, value);
  }

  [[gnu::noinline]] void clear() { entries_.clear(); }

  [[nodiscard]] std::size_t size() const { return entries_.size(); }

 private:
  Map entries_;
};

}  // namespace racelab
