// Many small maps with a lock each, of which one that turns out hot is split in four while the others go on.
//
// A key's hash, mixed, chooses its shard: the low bits the shard, the next two the sub-shard, and so on: splits nest.
//
// A shard counts its operations and its lock waits. It is hot if `hot_share` of the map's recent operations
// were on it, or if those that had to wait for it lately waited longer than `long_wait` on average. The
// operation that finds this out splits the shard before it lets go of the lock. What a split can't help is
// one hot key: it stays in one piece.
//
// Thread safety
//   Any thread may call any operation at any time. Operations on one shard exclude each other, readers too;
//   those on different shards don't meet. Hash, ==, copies and the `visit` of for_each() run under the lock
//   of a shard, those of the copy constructor under all locks: none of them may call this map.
//
// Invariants
//   1. A shard is a leaf until it is split, and an inner node ever after: `parts` is set once, under its
//      lock, and its entries are empty from then on.
//   2. Each hash leads to exactly one leaf. A key is only ever in the leaf that its hash leads to.
//   3. Whoever holds a shard's lock and finds it to be a leaf has the entries for itself, and it stays a
//      leaf.
//   4. A thread holds several locks only in copies and size(): those of leaves, in the order of the tree,
//      which a split keeps. Nothing is locked while a shard is being split but that shard.
//   5. A split fills four new tables with copies first and publishes them then: if it fails, nothing has
//      changed.
//
// Reclamation
//   None is needed: a shard that was split stays in the tree as an inner node for as long as the map, so who
//   still stands on it finds its parts there. A split costs one node for good, and most_shards bounds how
//   many there are. What clear() and a split leave behind is destroyed after the lock is released.
//
// Cost
//   The hash is computed twice, once for the shard and once for its table. A try_lock and an unlock, and an
//   increment in the shard's own cache line; the clock is read only by those that have to wait. The
//   operations of all shards are added up once in hot_share * window operations of a shard. A split copies
//   the shard's entries while its lock is held: the other operations on this shard wait for that, and its
//   memory doubles meanwhile. size() and copies lock all shards. Shards are never joined again.
//
// When not to use it
//   One hot key, or long walks. Reads that outnumber all else: a snapshot lets them share.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <unordered_map>
#include <utility>
#include <vector>

#include "fixes/support/mixed_hash.hpp"
#include "fixes/support/table_steps.hpp"
#include "sanitizers/annotations/annotated_mutex.hpp"

namespace racelab {

namespace detail {

/// Holds a mutex and knows how long it had to wait for it, if it had to.
class RACELAB_THREAD_SAFETY(scoped_lockable) timed_lock {
 public:
  explicit timed_lock(annotated_mutex& mutex) RACELAB_THREAD_SAFETY(acquire_capability(mutex))
      : mutex_(mutex) {
    if (mutex_.try_lock()) return;
    const auto start = std::chrono::steady_clock::now();
    mutex_.lock();
    waited_ = std::chrono::steady_clock::now() - start;
  }
  ~timed_lock() RACELAB_THREAD_SAFETY(release_capability()) { mutex_.unlock(); }
  timed_lock(const timed_lock&) = delete;
  timed_lock& operator=(const timed_lock&) = delete;

  [[nodiscard]] std::optional<std::chrono::nanoseconds> waited() const noexcept { return waited_; }

 private:
  annotated_mutex& mutex_;
  std::optional<std::chrono::nanoseconds> waited_;
};

}  // namespace detail

template <class Key, class Value, class Hash = std::hash<Key>, class Equal = std::equal_to<Key>>
class sharded_map {
 public:
  using key_type = Key;
  using mapped_type = Value;

  struct options {
    unsigned shard_bits = 4;    // 2^shard_bits shards to begin with
    double hot_share = 0.35;    // a shard is hot with this share of the recent operations …
    std::size_t window = 4096;  // … of which so many count as recent
    std::chrono::nanoseconds long_wait = std::chrono::milliseconds(5);  // or if its mean wait is longer …
    std::size_t waits_judged = 32;                                      // … over so many waits
    // Leaves, at most. Copies hold the locks of all: g++ 12's ThreadSanitizer follows 64 locks of a thread,
    // clang's 128.
    std::size_t most_shards = 60;
  };

  /// What one shard has seen.
  struct shard_statistics {
    std::uint64_t path = 0;        // the low `bits` of the mixed hash of its keys
    unsigned bits = 0;             // how many: shard_bits, and two more for each split above it
    std::size_t keys = 0;          // none if it has been split
    std::uint64_t operations = 0;  // on keys; until it was split
    std::uint64_t waits = 0;       // operations that did not get the lock at once
    std::chrono::nanoseconds total_wait{0};
    std::size_t splits = 0;  // its own and those of its sub-shards: 0 in a leaf

    [[nodiscard]] std::chrono::nanoseconds mean_wait() const {
      return waits == 0 ? std::chrono::nanoseconds(0) : total_wait / static_cast<std::int64_t>(waits);
    }
  };

  sharded_map() : sharded_map(options()) {}

  /// Throws std::invalid_argument if there would be more shards than most_shards, or no window.
  explicit sharded_map(const options& chosen)
      : options_(checked(chosen)),
        quota_(quota(chosen)),
        shards_(new shard[top_shards()]),
        leaves_(top_shards()) {}

  /// A copy of what was there at one moment. What was split is whole again.
  sharded_map(const sharded_map& other) : sharded_map(other.options_) { copy_from(other); }
  sharded_map& operator=(const sharded_map&) = delete;
  ~sharded_map() = default;

  [[nodiscard]] std::optional<Value> find(const Key& key) const {
    return in_leaf_of(key, [&](table& entries) { return detail::value_in(entries, key); });
  }

  /// True if `key` was not there and is now.
  bool insert(const Key& key, const Value& value) {
    return in_leaf_of(key, [&](table& entries) { return entries.try_emplace(key, value).second; });
  }

  void insert_or_assign(const Key& key, const Value& value) {
    in_leaf_of(key, [&](table& entries) {
      const auto [at, inserted] = entries.try_emplace(key, value);
      if (!inserted) at->second = Value(value);  // copied first: if that throws, the old value is whole
      return inserted;
    });
  }

  /// The value that was removed, if any.
  std::optional<Value> erase(const Key& key) {
    std::optional<Value> removed;
    in_leaf_of(key, [&](table& entries) { return detail::take_from(entries, key, removed); });
    return removed;
  }

  /// Removes `key` only if it has this value; true if it did.
  bool erase_if_equal(const Key& key, const Value& value) {
    return in_leaf_of(key, [&](table& entries) { return detail::erase_equal_in(entries, key, value); });
  }

  /// Calls visit(key, value) for the entries of one shard after the other, under its lock: each shard is seen
  /// as it was at one moment. A shard that is split before its turn is visited in its parts, one that is
  /// split afterwards has been visited as a whole: no key comes twice.
  template <class Visit> void for_each(Visit visit) const {
    for_each_leaf([&](table& entries) {
      for (const auto& [key, value] : entries) visit(key, value);
    });
  }

  /// Shard by shard.
  void clear() {
    std::vector<table> removed;
    for_each_leaf([&](table& entries) {
      removed.emplace_back();
      removed.back().swap(entries);
    });
  }

  [[nodiscard]] std::size_t size() const {
    std::size_t count = 0;
    with_all_leaves([&](std::size_t, const table& entries) { count += entries.size(); });
    return count;
  }

  /// A record for each shard, those that were split included, each before its sub-shards. Taken one after the
  /// other.
  [[nodiscard]] std::vector<shard_statistics> statistics() const {
    std::vector<shard_statistics> records;
    for (std::size_t i = 0; i < top_shards(); ++i) describe(shards_[i], i, options_.shard_bits, records);
    return records;
  }

 private:
  using table = std::unordered_map<Key, Value, Hash, Equal>;
  struct shard;
  using four_shards = std::array<shard, 4>;
  static constexpr unsigned hash_bits = 64;
  static constexpr unsigned split_bits = 2;

  /// Alone on its cache lines.
  struct alignas(64) shard {
    shard() = default;
    shard(table&& filled, std::uint64_t operations_so_far)
        : entries(std::move(filled)), judged_total(operations_so_far) {}
    shard(const shard&) = delete;
    shard& operator=(const shard&) = delete;
    ~shard() { delete parts.load(std::memory_order_relaxed); }

    annotated_mutex mutex;
    table entries RACELAB_GUARDED_BY(mutex);

    // Null in a leaf. Written under the lock, once.
    std::atomic<four_shards*> parts{nullptr};

    // Written under the lock; relaxed, because who adds up the map's operations may miss the last few.
    std::atomic<std::uint64_t> operations{0};

    std::uint64_t judged_operations RACELAB_GUARDED_BY(mutex) = 0;  // `operations` when last judged …
    std::uint64_t judged_total RACELAB_GUARDED_BY(mutex) = 0;       // … and those of the map
    std::uint64_t waits RACELAB_GUARDED_BY(mutex) = 0;
    std::chrono::nanoseconds total_wait RACELAB_GUARDED_BY(mutex){0};
    std::uint64_t judged_waits RACELAB_GUARDED_BY(mutex) = 0;  // `waits` and `total_wait` when last judged
    std::chrono::nanoseconds judged_wait RACELAB_GUARDED_BY(mutex){0};
  };

  static options checked(const options& chosen) {
    if (chosen.shard_bits >= hash_bits || (chosen.most_shards >> chosen.shard_bits) == 0 ||
        chosen.window == 0)
      throw std::invalid_argument("sharded_map: more shards than most_shards, or no window");
    return chosen;
  }

  // As many operations on one shard are hot_share of a window.
  static std::uint64_t quota(const options& chosen) {
    const double operations = std::ceil(chosen.hot_share * static_cast<double>(chosen.window));
    if (!(operations < 0x1p63)) return std::numeric_limits<std::uint64_t>::max();  // infinity: never
    return operations < 1 ? 1 : static_cast<std::uint64_t>(operations);
  }

  [[nodiscard]] std::size_t top_shards() const { return std::size_t{1} << options_.shard_bits; }

  static std::uint64_t hash_of(const Key& key) { return mixed_hash(Hash()(key)); }
  static std::size_t part_of(std::uint64_t hash, unsigned bits) { return (hash >> bits) & 3U; }

  // ---- One key

  /// use(entries of the leaf that `key` belongs to), under its lock.
  template <class Use> auto in_leaf_of(const Key& key, Use use) const {
    const std::uint64_t hash = hash_of(key);
    shard* at = &shards_[hash & (top_shards() - 1)];
    for (unsigned bits = options_.shard_bits;;) {
      // Acquire: the parts are filled before they are seen; pairs with the release in split_locked().
      if (four_shards* const parts = at->parts.load(std::memory_order_acquire)) {
        at = &(*parts)[part_of(hash, bits)];
        bits += split_bits;
        continue;
      }
      std::optional<table> left_behind;  // by a split: outlives the lock
      shard& leaf = *at;
      const detail::timed_lock lock(leaf.mutex);
      if (lock.waited()) {
        ++leaf.waits;
        leaf.total_wait += *lock.waited();
      }
      if (is_inner_locked(leaf)) continue;  // it was split meanwhile
      const std::uint64_t operations = leaf.operations.load(std::memory_order_relaxed);
      leaf.operations.store(operations + 1, std::memory_order_relaxed);
      auto result = use(leaf.entries);
      if (is_hot_locked(leaf)) split_locked(leaf, bits, left_behind);
      return result;
    }
  }

  static bool is_inner_locked(const shard& at) RACELAB_REQUIRES(at.mutex) {
    // Relaxed: whoever set it held the lock.
    return at.parts.load(std::memory_order_relaxed) != nullptr;
  }

  // ---- Splits

  bool is_hot_locked(shard& leaf) const RACELAB_REQUIRES(leaf.mutex) {
    bool hot = false;
    if (const auto waits = leaf.waits - leaf.judged_waits; waits > 0 && waits >= options_.waits_judged) {
      hot = (leaf.total_wait - leaf.judged_wait) / static_cast<std::int64_t>(waits) > options_.long_wait;
      leaf.judged_waits = leaf.waits;
      leaf.judged_wait = leaf.total_wait;
    }
    const std::uint64_t operations = leaf.operations.load(std::memory_order_relaxed);
    if (operations - leaf.judged_operations >= quota_) {
      const std::uint64_t total = all_operations();
      if (total - leaf.judged_total <= options_.window) hot = true;
      leaf.judged_operations = operations;
      leaf.judged_total = total;
    }
    return hot;
  }

  /// Splits a leaf in four, if its keys can be told apart. `left_behind` takes its entries.
  void split_locked(shard& leaf, unsigned bits, std::optional<table>& left_behind) const
      RACELAB_REQUIRES(leaf.mutex) {
    if (leaf.entries.size() < 2 || bits + split_bits > hash_bits) return;
    // Relaxed: a number of its own, nothing is published by it.
    if (leaves_.fetch_add(3, std::memory_order_relaxed) + 3 > options_.most_shards) {
      leaves_.fetch_sub(3, std::memory_order_relaxed);
      return;
    }
    try {
      std::array<table, 4> filled;
      for (const auto& [key, value] : leaf.entries) filled[part_of(hash_of(key), bits)].emplace(key, value);
      const std::uint64_t total = all_operations();
      auto parts = std::unique_ptr<four_shards>(new four_shards{{{std::move(filled[0]), total},
                                                                 {std::move(filled[1]), total},
                                                                 {std::move(filled[2]), total},
                                                                 {std::move(filled[3]), total}}});
      left_behind.emplace().swap(leaf.entries);
      // Release: publishes the parts to in_leaf_of() and all_operations().
      leaf.parts.store(parts.release(), std::memory_order_release);
    } catch (...) {
      // The operation that brought the split about has been done; the shard stays whole until it is judged
      // again.
      leaves_.fetch_sub(3, std::memory_order_relaxed);
    }
  }

  /// The operations of the whole map; without a lock, so the last few may be missing.
  [[nodiscard]] std::uint64_t all_operations() const {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < top_shards(); ++i) sum += all_operations(shards_[i]);
    return sum;
  }
  static std::uint64_t all_operations(const shard& at) {
    std::uint64_t sum = at.operations.load(std::memory_order_relaxed);
    // Acquire: the parts are constructed before they are seen; pairs with the release in split_locked().
    if (const four_shards* const parts = at.parts.load(std::memory_order_acquire))
      for (const shard& part : *parts) sum += all_operations(part);
    return sum;
  }

  // ---- All keys

  /// use(entries) for each leaf, one after the other, under its lock.
  template <class Use> void for_each_leaf(Use use) const {
    for (std::size_t i = 0; i < top_shards(); ++i) for_each_leaf(shards_[i], use);
  }
  template <class Use> static void for_each_leaf(shard& at, Use& use) {
    {
      const mutex_lock lock(at.mutex);
      if (!is_inner_locked(at)) return use(at.entries);
    }
    for (shard& part : parts_of(at)) for_each_leaf(part, use);
  }

  /// use(top shard, entries) for each leaf while the locks of all are held, so that all are of one moment.
  template <class Use> void with_all_leaves(Use use) const RACELAB_UNCHECKED_LOCKING {
    std::vector<std::unique_lock<annotated_mutex>> held;
    std::vector<std::pair<std::size_t, const shard*>> leaves;
    for (std::size_t i = 0; i < top_shards(); ++i) lock_leaves(shards_[i], i, held, leaves);
    for (const auto& [top, leaf] : leaves) use(top, leaf->entries);
  }
  static void lock_leaves(shard& at, std::size_t top, std::vector<std::unique_lock<annotated_mutex>>& held,
                          std::vector<std::pair<std::size_t, const shard*>>& leaves)
      RACELAB_UNCHECKED_LOCKING {
    std::unique_lock lock(at.mutex);
    if (!is_inner_locked(at)) {
      held.push_back(std::move(lock));
      leaves.emplace_back(top, &at);
      return;
    }
    lock.unlock();
    for (shard& part : parts_of(at)) lock_leaves(part, top, held, leaves);
  }

  /// Of a shard that was found to be an inner node under its lock.
  static four_shards& parts_of(const shard& inner) {
    // Relaxed: the caller held the lock under which it was set.
    return *inner.parts.load(std::memory_order_relaxed);
  }

  void copy_from(const sharded_map& other) RACELAB_UNCHECKED_LOCKING {  // nobody else knows this map yet
    other.with_all_leaves([&](std::size_t top, const table& entries) RACELAB_UNCHECKED_LOCKING {
      shards_[top].entries.insert(entries.begin(), entries.end());
    });
  }

  /// Appends the records of `at` and its sub-shards. Returns how many splits there were among them.
  static std::size_t describe(shard& at, std::uint64_t path, unsigned bits,
                              std::vector<shard_statistics>& records) {
    const std::size_t own = records.size();
    records.push_back({.path = path, .bits = bits});
    if (!describe_itself(at, records[own])) return 0;
    std::size_t splits = 1;
    for (std::uint64_t part = 0; part < 4; ++part)
      splits += describe(parts_of(at)[part], path | (part << bits), bits + split_bits, records);
    records[own].splits = splits;
    return splits;
  }
  static bool describe_itself(shard& at, shard_statistics& record) {
    const mutex_lock lock(at.mutex);
    record.keys = at.entries.size();
    record.operations = at.operations.load(std::memory_order_relaxed);
    record.waits = at.waits;
    record.total_wait = at.total_wait;
    return is_inner_locked(at);
  }

  // ---- Constant after construction
  options options_;
  std::uint64_t quota_;
  std::unique_ptr<shard[]> shards_;

  mutable std::atomic<std::size_t> leaves_;
};

}  // namespace racelab
