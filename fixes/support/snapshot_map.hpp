// What the snapshot remedies share: readers look at an immutable table without a lock; a writer makes the next table
// of the current one and publishes it. The remedies differ by three things.
//
//   Table     how the next table comes from the current one: whole_table.hpp, hybrid_map.hpp's layered_table.
//             find(key) gives a pointer or null; size(); for_each(visit). On a copy that nobody else sees yet:
//             put(key, value); remove(key), true if the key was there; settle(), called last, before it is published.
//   Writers   how writers agree on whose table is next: serialised_writers.hpp, cas_snapshot_map.hpp's.
//             update(cell, step) publishes the table that step(current table) returns; if that is nothing, returns
//             false. It calls step again if it must.
//   Who       pays for a reader's barrier (hazard.hpp): whoever reclaims, unless a write costs less than that does.
//
// Exceptions: a step changes only its own copy and what it returns, and publication does not throw; so what throws has
// changed nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "fixes/support/snapshot.hpp"

namespace racelab {

// NOLINTNEXTLINE(cppcoreguidelines-special-member-functions): a move is a copy
template <class Table, class Writers, barrier_by Who = barrier_by::reclaimer> class snapshot_map {
 public:
  using cell = snapshot_cell<Table, Who>;
  using key_type = typename Table::key_type;
  using mapped_type = typename Table::mapped_type;
  using Key = key_type;
  using Value = mapped_type;

  /// The entries of one moment, for as long as wanted: after later writes, and after the map's end.
  class held_snapshot {
   public:
    [[nodiscard]] std::optional<Value> find(const Key& key) const { return value_in(*held_, key); }
    template <class Visit> void for_each(Visit visit) const { held_->for_each(visit); }
    [[nodiscard]] std::size_t size() const { return held_->size(); }
    [[nodiscard]] std::uint64_t version() const noexcept { return held_.version(); }

   private:
    friend snapshot_map;
    explicit held_snapshot(typename cell::handle held) noexcept : held_(std::move(held)) {}
    typename cell::handle held_;
  };

  struct versioned_value {
    std::optional<Value> value;
    std::uint64_t version = 0;
  };

  snapshot_map() = default;
  /// A copy of the current snapshot.
  snapshot_map(const snapshot_map& other) : cell_(*other.cell_.hold()) {}
  snapshot_map& operator=(const snapshot_map&) = delete;
  ~snapshot_map() = default;

  // `inline` raises clang's bar for it: the bare map's find() is inlined, and a call costs as much as the protection.
  // NOLINTNEXTLINE(readability-redundant-inline-specifier)
  [[nodiscard]] inline std::optional<Value> find(const Key& key) const {
    return value_in(*cell_.read(), key);
  }

  /// The value, and the version of the snapshot that it was looked up in.
  [[nodiscard]] versioned_value find_versioned(const Key& key) const {
    const auto now = cell_.read();
    return {value_in(*now, key), now.version()};
  }

  /// True if `key` was not there and is now.
  bool insert(const Key& key, const Value& value) {
    return update([&](const Table& now) {
      return now.find(key) != nullptr ? std::nullopt
                                      : edited(now, [&](Table& next) { next.put(key, value); });
    });
  }

  void insert_or_assign(const Key& key, const Value& value) {
    update([&](const Table& now) { return edited(now, [&](Table& next) { next.put(key, value); }); });
  }

  /// The value that was removed, if any.
  std::optional<Value> erase(const Key& key) {
    std::optional<Value>
        removed;  // the one variable that is returned: no copy that could throw once the key is gone
    update([&](const Table& now) {
      removed.reset();  // an earlier try's
      const Value* const at = now.find(key);
      if (at == nullptr) return std::optional<Table>();
      removed.emplace(*at);
      return edited(now, [&](Table& next) { next.remove(key); });
    });
    return removed;
  }

  /// Removes `key` only if it has this value; true if it did.
  bool erase_if_equal(const Key& key, const Value& value) {
    return update([&](const Table& now) {
      const Value* const at = now.find(key);
      return at == nullptr || !(*at == value) ? std::nullopt
                                              : edited(now, [&](Table& next) { next.remove(key); });
    });
  }

  /// Stores all of `entries` (pairs of a key and a value) at once: one copy, one publication. Of a key that comes twice the
  /// last value stays.
  template <class Entries> void insert_or_assign_all(const Entries& entries) {
    update([&](const Table& now) {
      return entries.begin() == entries.end() ? std::nullopt : edited(now, [&](Table& next) {
        for (const auto& [key, value] : entries) next.put(key, value);
      });
    });
  }

  /// Removes all of `keys` at once: one copy, one publication, and no reader sees some of them gone and others not.
  /// Returns how many were there.
  template <class Keys> std::size_t erase_all(const Keys& keys) {
    std::size_t removed = 0;
    update([&](const Table& now) {
      removed = 0;  // an earlier try's
      auto next = edited(now, [&](Table& fresh) {
        for (const Key& key : keys)
          if (fresh.remove(key)) ++removed;
      });
      return removed == 0 ? std::nullopt : std::move(next);
    });
    return removed;
  }

  /// Calls visit(key, value) for every entry of the current snapshot. No lock is held: `visit` may call this map, and
  /// does not see what it changes.
  template <class Visit> void for_each(Visit visit) const { snapshot().for_each(visit); }

  void clear() {
    update([](const Table& now) { return now.size() == 0 ? std::nullopt : std::optional<Table>(Table()); });
  }

  [[nodiscard]] std::size_t size() const { return cell_.read()->size(); }

  [[nodiscard]] held_snapshot snapshot() const { return held_snapshot(cell_.hold()); }

  /// Of the current snapshot: one more for each publication.
  [[nodiscard]] std::uint64_t version() const { return cell_.read().version(); }

  /// Frees old snapshots that a reader was just looking at when a writer wanted to; the next write would, too. Returns
  /// how many the map no longer keeps.
  std::size_t reclaim() noexcept { return cell_.reclaim(); }

  /// How many old snapshots wait for that.
  [[nodiscard]] std::size_t waiting() const noexcept { return cell_.waiting(); }

  /// How often a writer was overtaken and made its table again.
  [[nodiscard]] std::uint64_t retries() const noexcept
    requires requires(const Writers& writers) { writers.retries(); }
  {
    return writers_.retries();
  }

 private:
  static std::optional<Value> value_in(const Table& table, const Key& key) {
    const Value* const at = table.find(key);
    return at == nullptr ? std::nullopt : std::optional<Value>(*at);
  }

  template <class Edit> static std::optional<Table> edited(const Table& now, Edit edit) {
    std::optional<Table> next(now);
    edit(*next);
    next->settle();
    return next;
  }

  template <class Step> bool update(Step step) {
    if (!writers_.update(cell_, step)) return false;
    cell_.reclaim();  // here nothing is locked or looked at by this thread: destructors may call the map
    return true;
  }

  cell cell_;
  Writers writers_;
};

}  // namespace racelab
