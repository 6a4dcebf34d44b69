// A delete leaves a tombstone until every registered reader has seen it, so that replicas can follow the map.
//
// Each change of a key gets the next version. A reader pulls the changes after its own version, deletes too,
// and so advances. A tombstone is *pending* while a reader may still have to see it, *safe* once the slowest
// reader has passed its version, and *purged* when a background collector has removed it, a batch at a time.
// The scheme is that of replicated stores: Cassandra keeps tombstones for gc_grace_seconds, and a replica
// that was away for longer must be rebuilt. Here it is so too: with most_tombstones of them, the slowest
// reader is expired and has to resync.
//
// Thread safety
//   Any thread may call any operation of the map at any time. A reader belongs to one thread at a time. Hash,
//   == and copies run under the map's lock, and so does the `visit` of for_each(): none of them may call this
//   map. The `visit` of pull() and resync() runs under no lock, on copies: it may call the map, but not its
//   own reader.
//
// Invariants
//   1. Each entry has the version of its last change and is in exactly one index under it: in stores_ if it
//      has a value, in pending_ or safe_ if it is a tombstone.
//   2. Versions only grow, and no two changes share one.
//   3. What is in safe_ has been passed by every reader that is not expired; one that registers later starts
//      after it.
//   4. A reader has `passed` a version if no tombstone up to it matters to its replica: all have been
//      visited, or the replica was empty, or had to be emptied, when they were made.
//   5. Index nodes are moved between the indexes and never made or freed for it, so that a change, once its
//      memory is there, can't fail.
//
// Reclamation
//   The value is freed at the delete. The key and the version are kept for the readers: one tombstone for
//   each key, however often it is deleted, and most_tombstones at most. At that bound a delete helps to
//   collect, and expires the slowest reader where nothing can be collected. The collector's thread ends with
//   the map, after its batch.
//
// Cost
//   find() takes a shared lock, each change an exclusive one and a step in an ordered index. A pull copies a
//   batch under the shared lock. The collector holds the lock for one batch at a time, clear() too.
//
// When not to use it
//   Nobody replicates the map: then its tombstones are work for nothing. Many writers: they queue at one
//   lock, and the C library lets a writer starve while readers keep coming.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "sanitizers/annotations/annotated_mutex.hpp"

namespace racelab {

/// What came of a pull.
enum class pull_result {
  complete,  // everything up to the version at the call has been visited
  expired,   // the reader has fallen too far behind and must resync
  closed,    // the map is gone
};

template <class Key, class Value, class Hash = std::hash<Key>, class Equal = std::equal_to<Key>>
class tombstone_map {
  class state;

 public:
  using key_type = Key;
  using mapped_type = Value;

  struct options {
    std::size_t batch = 256;                 // as many tombstones, or changes, are handled under one lock
    std::size_t most_tombstones = 1U << 16;  // pending and safe together
    bool background = true;                  // whether a thread collects; otherwise collect_once() does
  };

  struct tombstone_counts {
    std::size_t live = 0;
    std::size_t pending = 0;
    std::size_t safe = 0;
    std::uint64_t purged_total = 0;
    std::uint64_t failed_batches = 0;  // of the background collector: a hash or == threw
  };

  /// What a collector's step did.
  struct collected {
    std::size_t made_safe = 0;
    std::size_t purged = 0;
    [[nodiscard]] bool nothing() const { return made_safe == 0 && purged == 0; }
  };

  /// Follows the map's changes; while it is registered, the map keeps the tombstones that it has not seen. It
  /// starts with an empty replica, and unregisters when it is destroyed. It may outlive its map: it is closed
  /// then.
  class reader {
   public:
    reader(reader&&) noexcept = default;
    reader(const reader&) = delete;
    reader& operator=(const reader&) = delete;
    reader& operator=(reader&& other) noexcept {
      reader taken(std::move(other));  // what it was before goes with this one
      std::swap(state_, taken.state_);
      std::swap(slot_, taken.slot_);
      return *this;
    }
    ~reader() {
      if (const auto state = state_.lock()) state->unregister(slot_);
    }

    /// Calls visit(key, value) for what has changed since the last pull, in the order of versions: value is a
    /// std::optional<Value>, empty for a delete. A key that has changed several times comes with its last
    /// change only. If `visit` throws, the next pull begins with the change that it threw at.
    template <class Visit> pull_result pull(Visit visit) {
      const auto state = state_.lock();
      return state ? state->pull(*slot_, visit) : pull_result::closed;
    }

    /// Begins anew: visits all that is there. The replica must have been emptied.
    template <class Visit> pull_result resync(Visit visit) {
      const auto state = state_.lock();
      if (!state) return pull_result::closed;
      state->begin_anew(*slot_);
      return state->pull(*slot_, visit);
    }

    /// Whether the map has given up on this reader: it must resync.
    [[nodiscard]] bool expired() const {
      const auto state = state_.lock();
      return state && state->expired(*slot_);
    }

    /// Whether the map is gone.
    [[nodiscard]] bool closed() const { return state_.expired(); }

   private:
    friend tombstone_map;
    reader(const std::shared_ptr<state>& map, typename state::slots::iterator slot)
        : state_(map), slot_(slot) {}

    std::weak_ptr<state> state_;
    typename state::slots::iterator slot_;  // valid while the state is there
  };

  tombstone_map() : tombstone_map(options()) {}

  /// Throws std::invalid_argument if a batch or most_tombstones is 0.
  explicit tombstone_map(const options& chosen) : state_(std::make_shared<state>(chosen)) { start(); }

  /// A copy of the entries that were there at one moment, without tombstones and readers.
  tombstone_map(const tombstone_map& other) : state_(std::make_shared<state>(other.state_->chosen)) {
    other.for_each([this](const Key& key, const Value& value) { state_->insert(key, value); });
    start();
  }
  tombstone_map& operator=(const tombstone_map&) = delete;
  ~tombstone_map() = default;

  [[nodiscard]] std::optional<Value> find(const Key& key) const { return state_->find(key); }

  /// True if `key` was not there and is now.
  bool insert(const Key& key, const Value& value) { return state_->insert(key, value); }

  void insert_or_assign(const Key& key, const Value& value) { state_->insert_or_assign(key, value); }

  /// The value that was removed, if any.
  std::optional<Value> erase(const Key& key) { return state_->erase(key); }

  /// Removes `key` only if it has this value; true if it did.
  bool erase_if_equal(const Key& key, const Value& value) { return state_->erase_if_equal(key, value); }

  /// Calls visit(key, value) for every entry as of one moment, under the shared lock: `visit` must not call
  /// this map.
  template <class Visit> void for_each(Visit visit) const { state_->for_each(visit); }

  /// Leaves a tombstone for each key, a batch under one lock.
  void clear() { state_->clear(); }

  [[nodiscard]] std::size_t size() const { return counts().live; }

  [[nodiscard]] tombstone_counts counts() const { return state_->counts(); }

  [[nodiscard]] reader register_reader() { return reader(state_, state_->register_slot()); }

  /// How many versions the slowest reader is behind; those that are expired don't count. 0 without readers.
  [[nodiscard]] std::uint64_t lag() const { return state_->lag(); }

  /// A step of the collector: purges a batch of safe tombstones, then makes a batch of pending ones safe.
  collected collect_once() { return state_->collect_once(); }

 private:
  void start() {
    if (!state_->chosen.background) return;
    collector_ = std::jthread([&state = *state_](const std::stop_token& stop) { state.collect_until(stop); });
  }

  std::shared_ptr<state> state_;  // readers know it weakly, and keep it alive only during a call
  std::jthread collector_;        // last: stopped and joined first
};

/// What the map shares with its readers and its collector.
template <class Key, class Value, class Hash, class Equal>
class tombstone_map<Key, Value, Hash, Equal>::state {
 public:
  /// Of a registered reader. Touched only while mutex_ is held, changed only while it is held exclusively.
  struct slot {
    std::uint64_t pulled = 0;  // stores up to here have been visited
    std::uint64_t passed = 0;  // invariant 4
    bool expired = false;
  };
  using slots = std::list<slot>;

  explicit state(const options& wanted) : chosen(wanted) {
    if (chosen.batch == 0 || chosen.most_tombstones == 0)
      throw std::invalid_argument("tombstone_map: no batch, or no room for tombstones");
  }

  const options chosen;

  // ---- Keys

  std::optional<Value> find(const Key& key) const {
    const reader_lock lock(mutex_);
    const auto at = entries_.find(key);
    return at == entries_.end() ? std::nullopt : at->second.value;
  }

  bool insert(const Key& key, const Value& value) {
    const mutex_lock lock(mutex_);
    const auto at = entries_.find(key);
    if (at != entries_.end() && at->second.value) return false;
    store_locked(at, key, value);
    return true;
  }

  void insert_or_assign(const Key& key, const Value& value) {
    const mutex_lock lock(mutex_);
    store_locked(entries_.find(key), key, value);
  }

  std::optional<Value> erase(const Key& key) {
    const mutex_lock lock(mutex_);
    const auto at = entries_.find(key);
    // All returns name it, so that g++, too, makes it in its place: a copy after the tombstone is set could throw.
    std::optional<Value> removed;
    if (at == entries_.end() || !at->second.value) return removed;
    make_room_locked();
    removed.emplace(std::move_if_noexcept(*at->second.value));  // if it throws, the key is still there
    bury_locked(*at);
    return removed;
  }

  bool erase_if_equal(const Key& key, const Value& value) {
    const mutex_lock lock(mutex_);
    const auto at = entries_.find(key);
    if (at == entries_.end() || !at->second.value || !(*at->second.value == value)) return false;
    make_room_locked();
    bury_locked(*at);
    return true;
  }

  template <class Visit> void for_each(Visit& visit) const {
    const reader_lock lock(mutex_);
    for (const auto& [version, stored] : stores_) visit(stored->first, *std::as_const(stored->second.value));
  }

  void clear() {
    const std::uint64_t last = version();
    while (clear_batch(last)) {
    }
  }

  // ---- Readers

  typename slots::iterator register_slot() {
    const mutex_lock lock(mutex_);
    return slots_.insert(slots_.end(), slot{.passed = version_});
  }

  void unregister(typename slots::iterator leaving) {
    const mutex_lock lock(mutex_);
    slots_.erase(leaving);
    wake_locked();
  }

  void begin_anew(slot& at) {
    const mutex_lock lock(mutex_);
    at = slot{.passed = version_};
    wake_locked();
  }

  bool expired(const slot& of) const {
    const reader_lock lock(mutex_);
    return of.expired;
  }

  template <class Visit> pull_result pull(slot& at, Visit& visit) {
    const std::uint64_t goal = version();
    for (;;) {
      std::vector<change> changes;
      const std::optional<std::uint64_t> reached = changes_after(at, changes);
      if (!reached) return pull_result::expired;
      std::uint64_t visited = 0;
      try {
        for (const change& each : changes) {
          visit(each.key, each.value);
          visited = each.version;
        }
      } catch (...) {
        advance(at, visited);
        throw;
      }
      if (!advance(at, *reached)) return pull_result::expired;
      if (*reached >= goal) return pull_result::complete;
    }
  }

  std::uint64_t lag() const {
    const reader_lock lock(mutex_);
    return version_ - slowest_locked();
  }

  tombstone_counts counts() const {
    const reader_lock lock(mutex_);
    return {.live = stores_.size(),
            .pending = pending_.size(),
            .safe = safe_.size(),
            .purged_total = purged_,
            .failed_batches = failed_batches_};
  }

  // ---- The collector

  collected collect_once() {
    const mutex_lock lock(mutex_);
    return collect_locked();
  }

  void collect_until(const std::stop_token& stop) {
    while (wait_for_work(stop)) {
      try {
        while (!stop.stop_requested() && !collect_once().nothing()) {
        }
      } catch (...) {
        // The tombstone that it threw at is as it was, and waits until there is work again.
        const mutex_lock lock(mutex_);
        ++failed_batches_;
      }
    }
  }

 private:
  struct record {
    std::uint64_t version = 0;
    std::optional<Value> value;  // empty in a tombstone
  };
  using table = std::unordered_map<Key, record, Hash, Equal>;
  using entry = typename table::value_type;       // stays where it is until it is erased
  using index = std::map<std::uint64_t, entry*>;  // by version

  struct change {
    std::uint64_t version;
    Key key;
    std::optional<Value> value;
  };

  std::uint64_t version() const {
    const reader_lock lock(mutex_);
    return version_;
  }

  // ---- Changes

  /// Stores under a key that `at` has found, or not.
  void store_locked(typename table::iterator at, const Key& key, const Value& value)
      RACELAB_REQUIRES(mutex_) {
    if (at != entries_.end()) {
      at->second.value = Value(value);  // copied first: if that throws, the old value is whole
      move_to_locked(stores_, *at);
      return;
    }
    index made;
    made.emplace(version_ + 1, nullptr);
    entry& added = *entries_.try_emplace(key, record{version_ + 1, value}).first;
    // Nothing throws from here on.
    made.begin()->second = &added;
    stores_.insert(stores_.end(), made.extract(made.begin()));
    ++version_;
  }

  void bury_locked(entry& deleted) noexcept RACELAB_REQUIRES(mutex_) {
    deleted.second.value.reset();
    move_to_locked(pending_, deleted);
    wake_locked();
  }

  /// Gives a changed entry the next version, in the index `to`.
  void move_to_locked(index& to, entry& changed) noexcept RACELAB_REQUIRES(mutex_) {
    auto node = stores_.extract(changed.second.version);
    if (!node) node = pending_.extract(changed.second.version);
    if (!node) node = safe_.extract(changed.second.version);
    changed.second.version = node.key() = ++version_;
    to.insert(to.end(), std::move(node));
  }

  /// Before a delete: purges what it can at the bound, and expires readers if that is nothing.
  void make_room_locked() RACELAB_REQUIRES(mutex_) {
    while (pending_.size() + safe_.size() >= chosen.most_tombstones)
      if (collect_locked().nothing()) expire_slowest_locked();
  }

  /// False once no key is left that was last changed up to the version `last`.
  bool clear_batch(std::uint64_t last) {
    const mutex_lock lock(mutex_);
    for (std::size_t n = 0; n < chosen.batch; ++n) {
      if (stores_.empty() || stores_.begin()->first > last) return false;
      make_room_locked();
      bury_locked(*stores_.begin()->second);
    }
    return true;
  }

  // ---- Readers

  /// Fills `changes` with the next batch for a reader. Returns the version that it reaches with them; nothing
  /// if it has expired.
  std::optional<std::uint64_t> changes_after(const slot& at, std::vector<change>& changes) const {
    const reader_lock lock(mutex_);
    if (at.expired) return std::nullopt;
    auto store = stores_.upper_bound(at.pulled);
    auto removal = pending_.upper_bound(at.passed);
    while (changes.size() < chosen.batch) {
      if (store == stores_.end() && removal == pending_.end()) return version_;
      const bool stored =
          removal == pending_.end() || (store != stores_.end() && store->first < removal->first);
      const auto& [version, changed] = *(stored ? store++ : removal++);
      changes.push_back({version, changed->first, changed->second.value});
    }
    return changes.back().version;
  }

  /// False if the reader has expired meanwhile.
  bool advance(slot& at, std::uint64_t reached) {
    const mutex_lock lock(mutex_);
    at.pulled = std::max(at.pulled, reached);
    at.passed = std::max(at.passed, reached);
    wake_locked();
    return !at.expired;
  }

  std::uint64_t slowest_locked() const noexcept RACELAB_REQUIRES_SHARED(mutex_) {
    std::uint64_t slowest = version_;
    for (const slot& each : slots_)
      if (!each.expired) slowest = std::min(slowest, each.passed);
    return slowest;
  }

  void expire_slowest_locked() RACELAB_REQUIRES(mutex_) {
    const std::uint64_t slowest = slowest_locked();
    for (slot& each : slots_)
      if (each.passed == slowest) each.expired = true;
  }

  // ---- The collector

  collected collect_locked() RACELAB_REQUIRES(mutex_) {
    collected step;
    for (; step.purged < chosen.batch && !safe_.empty(); ++step.purged, ++purged_) {
      entries_.erase(
          entries_.find(safe_.begin()->second->first));  // if the hash throws, the tombstone is still there
      safe_.erase(safe_.begin());
    }
    for (const std::uint64_t slowest = slowest_locked();
         step.made_safe < chosen.batch && !pending_.empty() && pending_.begin()->first <= slowest;
         ++step.made_safe)
      safe_.insert(safe_.end(), pending_.extract(pending_.begin()));
    return step;
  }

  void wake_locked() noexcept RACELAB_REQUIRES(mutex_) {
    if (work_ || (safe_.empty() && (pending_.empty() || pending_.begin()->first > slowest_locked()))) return;
    work_ = true;
    wake_.notify_one();
  }

  /// False once the map's end is near. Unchecked: a condition variable unlocks what it is given.
  bool wait_for_work(const std::stop_token& stop) RACELAB_UNCHECKED_LOCKING {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, stop, [this]() RACELAB_UNCHECKED_LOCKING { return work_; });
    work_ = false;
    return !stop.stop_requested();
  }

  mutable annotated_shared_mutex mutex_;
  table entries_ RACELAB_GUARDED_BY(mutex_);
  index stores_ RACELAB_GUARDED_BY(mutex_);
  index pending_ RACELAB_GUARDED_BY(mutex_);
  index safe_ RACELAB_GUARDED_BY(mutex_);
  std::uint64_t version_ RACELAB_GUARDED_BY(mutex_) = 0;  // of the last change
  slots slots_ RACELAB_GUARDED_BY(mutex_);
  std::uint64_t purged_ RACELAB_GUARDED_BY(mutex_) = 0;
  std::uint64_t failed_batches_ RACELAB_GUARDED_BY(mutex_) = 0;

  bool work_ RACELAB_GUARDED_BY(mutex_) = false;  // for the collector
  std::condition_variable_any wake_;
};

}  // namespace racelab
