// A hash table whose buckets are snapshots: readers look at one without a lock, a writer replaces the one that it changes.
//
// What copy_on_write_map does with the whole map, this does with an entry or two at a time: a lookup announces the
// bucket that it is in, a write copies that bucket and publishes the copy. Writers take one of 32 locks, by the hash.
//
// Thread safety
//   Any thread may call any operation at any time. Readers wait for nobody; writers wait for those of their stripe, and
//   for a stripe that grows.
//
// Invariants
//   1. A bucket does not change once it is published. A cell of a table is changed under its stripe's lock, by seq_cst
//      operations only, and each bucket that was taken out of one is retired, once.
//   2. A stripe grows under its lock: the new table's buckets are filled, then it becomes the old one's `next` and the
//      stripe's current table, then every cell of the old table gets the mark `moved`, for good. Until a cell has the
//      mark, its bucket says what the new table says, for no writer comes in between.
//   3. The entries of cell i of a table are in those cells of its `next` whose number is i in the low bits: a walk that
//      finds the mark goes on there, and meets no key twice.
//   4. No lock is held while `visit` runs: it may call this map. Copies, hash and == of keys and values run under a
//      stripe's lock when a writer calls them: they may read this map, not change it.
//
// Reclamation
//   A hazard pointer keeps the bucket that a reader is in. Each stripe frees what it retired and nobody is in, 32 at a
//   time, after its lock is released. Tables that were outgrown stay, without entries, until the map's end: together
//   they have as many cells as the current one.
//
// Cost
//   A lookup: one store that the processor has to finish first, then the bucket. A write: a lock, an allocation and the
//   copies of an entry or two. size() and copies take all 32 locks. A table grows while its stripe's writers wait.
//
// When not to use it
//   Writes that outnumber reads: shards copy nothing. Entries that are expensive to copy. A walk that must be of one
//   moment: copy_on_write_map.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "fixes/support/hazard.hpp"
#include "fixes/support/mixed_hash.hpp"
#include "sanitizers/annotations/annotated_mutex.hpp"

namespace racelab {

template <class Key, class Value, class Hash = std::hash<Key>, class Equal = std::equal_to<Key>>
class bucket_snapshot_map {
 public:
  using key_type = Key;
  using mapped_type = Value;

  bucket_snapshot_map() = default;
  /// A copy of what was there at one moment.
  bucket_snapshot_map(const bucket_snapshot_map& other) { copy_from(other); }
  bucket_snapshot_map& operator=(const bucket_snapshot_map&) = delete;
  ~bucket_snapshot_map() = default;

  [[nodiscard]] std::optional<Value> find(const Key& key) const {
    const std::uint64_t hash = hash_of(key);
    hazard_pointer in_use;
    // Acquire: the table is filled before it is seen; pairs with the release in grow_locked().
    const table* at = stripe_of(hash).current.load(std::memory_order_acquire);
    const bucket* here = in_use.protect(at->cell_of(hash));
    while (at->is_moved(here)) {
      at = at->next.load(std::memory_order_acquire);  // pairs with the release in grow_locked()
      here = in_use.protect(at->cell_of(hash));
    }
    std::optional<Value> found;
    if (const entry* const one = find_in(here, key)) found.emplace(one->second);
    return found;
  }

  /// True if `key` was not there and is now.
  bool insert(const Key& key, const Value& value) {
    return change(key, [&](const bucket* now, const entry* found) {
      return found != nullptr ? step{} : step{true, bucket::with(now, nullptr, key, value), 1};
    });
  }

  void insert_or_assign(const Key& key, const Value& value) {
    change(key, [&](const bucket* now, const entry* found) {
      return step{true, bucket::with(now, found, key, value), found == nullptr ? 1 : 0};
    });
  }

  /// The value that was removed, if any.
  std::optional<Value> erase(const Key& key) {
    std::optional<Value> removed;
    change(key, [&](const bucket* now, const entry* found) {
      if (found == nullptr) return step{};
      removed.emplace(found->second);
      return step{true, bucket::without(now, *found), -1};
    });
    return removed;
  }

  /// Removes `key` only if it has this value; true if it did.
  bool erase_if_equal(const Key& key, const Value& value) {
    return change(key, [&](const bucket* now, const entry* found) {
      if (found == nullptr || !(found->second == value)) return step{};
      return step{true, bucket::without(now, *found), -1};
    });
  }

  /// Calls visit(key, value) for the entries, one bucket after the other, each as it is when its turn comes.
  template <class Visit> void for_each(Visit visit) const {
    hazard_pointer in_use;
    for (const stripe& each : stripes_) {
      const table& now =
          *each.current.load(std::memory_order_acquire);  // pairs with the release in grow_locked()
      for (std::size_t cell = 0; cell < now.cells.size(); ++cell) walk(now, cell, in_use, visit);
    }
  }

  /// Stripe by stripe. The tables keep their size.
  void clear() {
    for (stripe& each : stripes_) {
      {
        const mutex_lock lock(each.mutex);
        for (auto& cell : each.current.load(std::memory_order_relaxed)->cells)
          if (bucket* const old = cell.exchange(nullptr, std::memory_order_seq_cst)) each.retired.defer(*old);
        each.entries = 0;
      }
      each.retired.reclaim();
    }
  }

  [[nodiscard]] std::size_t size() const RACELAB_UNCHECKED_LOCKING {
    const auto held = all_locks();
    std::size_t sum = 0;
    for (const stripe& each : stripes_) sum += each.entries;
    return sum;
  }

 private:
  using entry = std::pair<const Key, Value>;
  static constexpr std::size_t few_cells = 8;
  static constexpr std::size_t most_waiting = 32;
  static constexpr unsigned stripe_bits = 5;

  /// Some entries, one after the other behind the head. Immutable.
  class bucket final : public hazard_object {
   public:
    using owner = std::unique_ptr<bucket>;

    // Frees what operator new below took, whatever the compiler believes this object's size to be.
    static void operator delete(void* memory) { ::operator delete(memory, std::align_val_t(alignment())); }

    bucket() = default;
    bucket(const bucket&) = delete;
    bucket& operator=(const bucket&) = delete;
    ~bucket() override {
      for (entry& each : all()) each.~entry();
    }

    /// The entries of `other`, null for none, with (key, value) in `old`'s place, or at the end.
    static owner with(const bucket* other, const entry* old, const Key& key, const Value& value) {
      owner made = with_room_for(entries_of(other).size() + 1);
      made->add_all(other, old);
      made->add(key, value);
      return made;
    }
    /// The entries of `other` but `left_out`; null if it was the last.
    static owner without(const bucket* other, const entry& left_out) {
      const std::size_t left = other->count_ - 1;
      if (left == 0) return nullptr;
      owner made = with_room_for(left);
      made->add_all(other, &left_out);
      return made;
    }
    static owner with_room_for(std::size_t entries) {
      void* const memory =
          ::operator new(entries_at() + entries * sizeof(entry), std::align_val_t(alignment()));
      return owner(::new (memory) bucket);
    }
    void add(const Key& key, const Value& value) {
      ::new (static_cast<void*>(first() + count_)) entry(key, value);
      ++count_;
    }

    [[nodiscard]] std::span<const entry> all() const noexcept { return {first(), count_}; }

   private:
    // Functions, as a class knows its own size in those only.
    static constexpr std::size_t alignment() { return std::max(alignof(entry), alignof(bucket)); }
    static constexpr std::size_t entries_at() {
      return (sizeof(bucket) + alignof(entry) - 1) / alignof(entry) * alignof(entry);
    }

    [[nodiscard]] std::span<entry> all() noexcept { return {first(), count_}; }
    [[nodiscard]] entry* first() noexcept {
      return std::launder(reinterpret_cast<entry*>(reinterpret_cast<std::byte*>(this) + entries_at()));
    }
    [[nodiscard]] const entry* first() const noexcept {
      return std::launder(
          reinterpret_cast<const entry*>(reinterpret_cast<const std::byte*>(this) + entries_at()));
    }
    void add_all(const bucket* other, const entry* left_out) {
      for (const entry& each : entries_of(other))
        if (&each != left_out) add(each.first, each.second);
    }

    std::size_t count_ = 0;  // grows while the bucket is filled: those are what is destroyed
  };

  static std::span<const entry> entries_of(const bucket* of) noexcept {
    return of == nullptr ? std::span<const entry>() : of->all();
  }

  static const entry* find_in(const bucket* here, const Key& key) {
    for (const entry& each : entries_of(here))
      if (Equal()(each.first, key)) return &each;
    return nullptr;
  }

  using cell_type = std::atomic<bucket*>;

  struct table {
    explicit table(std::size_t size) : cells(size) {}
    table(const table&) = delete;
    table& operator=(const table&) = delete;
    ~table() {
      for (const cell_type& each : cells)
        if (bucket* const last = each.load(std::memory_order_relaxed); !is_moved(last)) delete last;
    }

    [[nodiscard]] std::size_t cell_number(std::uint64_t hash) const noexcept {
      return (hash >> stripe_bits) & (cells.size() - 1);
    }
    [[nodiscard]] const cell_type& cell_of(std::uint64_t hash) const noexcept {
      return cells[cell_number(hash)];
    }
    [[nodiscard]] cell_type& cell_of(std::uint64_t hash) noexcept { return cells[cell_number(hash)]; }
    [[nodiscard]] bool is_moved(const bucket* found) const noexcept { return found == &moved; }

    std::vector<cell_type> cells;  // 2^k; null: no entries
    std::atomic<table*> next{nullptr};
    bucket moved;  // its address is the mark
  };

  /// Alone on its cache lines.
  // NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): for readers and writers, too
  struct alignas(64) stripe {
    stripe() {
      tables.push_back(std::make_unique<table>(few_cells));
      current.store(tables.back().get(), std::memory_order_relaxed);  // nobody else has the map yet
    }

    std::atomic<table*> current{nullptr};  // what each reader loads
    alignas(64) annotated_mutex mutex;     // what each writer changes
    std::size_t entries RACELAB_GUARDED_BY(mutex) = 0;
    std::vector<std::unique_ptr<table>> tables RACELAB_GUARDED_BY(mutex);  // all that there ever were
    retire_list retired;
  };

  /// What a change does: `next` takes the bucket's place if `done`.
  struct step {
    bool done = false;
    typename bucket::owner next;
    int more = 0;  // entries
  };

  static std::uint64_t hash_of(const Key& key) { return mixed_hash(Hash()(key)); }
  [[nodiscard]] stripe& stripe_of(std::uint64_t hash) const { return stripes_[hash & (stripes_.size() - 1)]; }

  /// Publishes what decide(bucket, entry of `key` in it) returns, under the stripe's lock. True if anything.
  template <class Decide> bool change(const Key& key, Decide decide) {
    const std::uint64_t hash = hash_of(key);
    stripe& in = stripe_of(hash);
    {
      const mutex_lock lock(in.mutex);
      table& now = *in.current.load(std::memory_order_relaxed);
      cell_type& cell = now.cell_of(hash);
      bucket* const here = cell.load(std::memory_order_relaxed);
      step chosen = decide(static_cast<const bucket*>(here), find_in(here, key));
      if (!chosen.done) return false;
      cell.exchange(chosen.next.release(), std::memory_order_seq_cst);
      in.entries += static_cast<std::size_t>(chosen.more);
      if (here != nullptr) in.retired.defer(*here);
      if (chosen.more > 0 && in.entries > now.cells.size()) grow_locked(in, now);
    }
    if (in.retired.waiting() >= most_waiting) in.retired.reclaim();
    return true;
  }

  /// Gives the stripe a table of twice the size. If there is no memory for it, or a copy or the hash throws, it goes on
  /// with the one that it has until it grows again.
  static void grow_locked(stripe& in, table& old) RACELAB_REQUIRES(in.mutex) {
    try {
      auto larger = std::make_unique<table>(2 * old.cells.size());
      add_all(*larger, old);
      in.tables.push_back(std::move(larger));
    } catch (...) {
      return;
    }
    table& fresh = *in.tables.back();
    // Release: publishes the new table to who finds the mark, and to who comes anew.
    old.next.store(&fresh, std::memory_order_release);
    in.current.store(&fresh, std::memory_order_release);
    for (cell_type& cell : old.cells)
      if (bucket* const left = cell.exchange(&old.moved, std::memory_order_seq_cst)) in.retired.defer(*left);
  }

  /// Adds the entries of `from`, whose stripe is locked, to a table that nobody else sees yet.
  static void add_all(table& to, const table& from) {
    for (const cell_type& source : from.cells)
      for (const entry& each : entries_of(source.load(std::memory_order_relaxed))) {
        cell_type& cell = to.cell_of(hash_of(each.first));
        const bucket* const before = cell.load(std::memory_order_relaxed);
        cell.store(bucket::with(before, nullptr, each.first, each.second).release(),
                   std::memory_order_relaxed);
        delete before;
      }
  }

  template <class Visit>
  static void walk(const table& in, std::size_t number, hazard_pointer& in_use, Visit& visit) {
    const bucket* const here = in_use.protect(in.cells[number]);
    if (in.is_moved(here)) {
      const table& next =
          *in.next.load(std::memory_order_acquire);  // pairs with the release in grow_locked()
      for (std::size_t each = number; each < next.cells.size(); each += in.cells.size())
        walk(next, each, in_use, visit);
      return;
    }
    for (const entry& each : entries_of(here)) visit(each.first, each.second);
  }

  [[nodiscard]] std::vector<std::unique_lock<annotated_mutex>> all_locks() const RACELAB_UNCHECKED_LOCKING {
    std::vector<std::unique_lock<annotated_mutex>> held;
    held.reserve(stripes_.size());
    for (stripe& each : stripes_) held.emplace_back(each.mutex);
    return held;
  }

  void copy_from(const bucket_snapshot_map& other) RACELAB_UNCHECKED_LOCKING {
    const auto held = other.all_locks();
    for (std::size_t i = 0; i < stripes_.size(); ++i) {
      const stripe& from = other.stripes_[i];
      stripe& to = stripes_[i];
      const table& source = *from.current.load(std::memory_order_relaxed);
      to.tables.push_back(std::make_unique<table>(source.cells.size()));
      to.current.store(to.tables.back().get(), std::memory_order_relaxed);  // nobody else has the copy yet
      add_all(*to.tables.back(), source);
      to.entries = from.entries;
    }
  }

  mutable std::array<stripe, std::size_t{1} << stripe_bits> stripes_;
};

}  // namespace racelab
