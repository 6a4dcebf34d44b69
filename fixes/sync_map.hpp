// Go's sync.Map: readers search a table that never gets a new key, without a lock, while new keys wait in another.
//
// Source: golang.org/src/sync/map.go up to Go 1.23, whose ten methods, semantics and design these are. New keys go to
// the dirty table, under a mutex. Once looking there has cost as much as copying it would, it is promoted: it becomes
// the read table, which is searched without a lock. The next new key starts a dirty table with a copy of that.
//
// Thread safety
//   Any thread may call any operation at any time, the destructor apart. Keys' and values' own operations (copy, hash,
//   ==, destructor) must not call the map, for some run under the mutex. `visit` may call it, walk it and clear it.
//
// Invariants
//   1. read_ is changed only while mutex_ is held, and never null. A table gets no key once it has been in read_.
//   2. An entry's state is a value, null (deleted) or expunged(): deleted, and not in dirty_. Only the holder of
//      mutex_ changes from or to expunged(), and only in an entry of the current read table, while there is a dirty_.
//   3. If there is a dirty_, it has every entry of the read table that is not expunged, shared with it. So an expunged
//      entry that promotion drops can never be written again.
//   4. amended of the current read table is true if dirty_ has a key that it lacks.
//   5. An entry that only dirty_ has is looked at under mutex_ only, holds a value, and has never been in read_.
//
// Linearizable per key
//   An operation takes effect when it loads or changes the state of the key's entry, or, if the table that it searched
//   has none and is not amended, when it loaded read_; with the mutex held nothing else can come between. It may find
//   its entry in a table that has been replaced meanwhile: then that entry is either in the current tables too; or
//   promotion has dropped it, expunged, and the operation finds no key, as it was when promotion came; or clear() has
//   dropped it, and whoever still works on it began before clear() and comes before it.
//
// Reclamation
//   A reader protects the table that he searches, then the value that he copies, by hazard pointers. A table that has
//   been replaced is freed when nobody searches it. Tables share entries by counting, so an entry lives as long as a
//   table refers to it, and what it then holds goes with it. A value that has been replaced or deleted is destroyed
//   along with the next replaced table, or once `batch` of them wait; a key that has been in the read table stays until
//   it is expunged and promotion drops it.
//
// Exceptions
//   From a copy, the hash, ==, the allocator: the map is as it was. Only load_or_store()'s result is moved out after
//   the value was stored.
//
// Cost
//   load() of a key in the read table: two hazard pointers, no lock, nothing shared written. Storing to such a key: the
//   same, one allocation and a compare-and-swap. A new key: the mutex, and now and then a copy of the read table, whose
//   keys are then stored twice. range(): protects the table for as long as it takes, and copies nothing.
//
// When not to use it
//   Keys that come and go all the time: each promotion is followed by a copy of all keys under the mutex. There is no
//   size(), as in Go: nothing here knows how many keys are not deleted, short of a walk.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>

#include "fixes/support/hazard.hpp"
#include "sanitizers/annotations/annotated_mutex.hpp"

namespace racelab {

template <class Key, class Value, class Hash = std::hash<Key>, class Equal = std::equal_to<Key>>
class sync_map {
 public:
  using key_type = Key;
  using mapped_type = Value;

  sync_map() : read_(new table) {}
  sync_map(const sync_map&) = delete;
  sync_map& operator=(const sync_map&) = delete;
  /// No operation may run.
  ~sync_map() { delete read_.load(); }

  // ---- Go's ten methods

  /// The value of `key`, by copy; nothing if the key is not there.
  [[nodiscard]] std::optional<Value> load(const Key& key) const {
    std::optional<Value> found;
    change(key, nullptr, [&found](const Value* now) {
      copy_to(found, now);
      return false;
    });
    return found;
  }

  /// Gives `key` the value.
  void store(const Key& key, const Value& value) {
    change(key, &value, [](const Value* /*now*/) { return true; });
  }

  /// The value of `key` and true if the key is there; otherwise stores `value` and returns it and false.
  std::pair<Value, bool> load_or_store(const Key& key, const Value& value) {
    std::optional<Value> actual;
    const bool stored = change(key, &value, [&](const Value* now) {
      copy_to(actual, now != nullptr ? now : &value);
      return now == nullptr;
    });
    return {*std::move(actual), !stored};
  }

  /// Deletes `key`. Returns the value that it had, if any.
  std::optional<Value> load_and_delete(const Key& key) {
    std::optional<Value> removed;
    change(key, nullptr, [&removed](const Value* now) {
      copy_to(removed, now);
      return now != nullptr;
    });
    return removed;
  }

  /// Deletes `key`: Go's Delete.
  void delete_key(const Key& key) {
    change(key, nullptr, [](const Value* now) { return now != nullptr; });
  }

  /// Gives `key` the value. Returns the one that it had, if any.
  std::optional<Value> swap(const Key& key, const Value& value) {
    std::optional<Value> previous;
    change(key, &value, [&previous](const Value* now) {
      copy_to(previous, now);
      return true;
    });
    return previous;
  }

  /// Gives `key` the value `fresh` if it has the value `old`. False if it has not, or is not there.
  bool compare_and_swap(const Key& key, const Value& old, const Value& fresh) {
    return change(key, &fresh, [&old](const Value* now) { return now != nullptr && *now == old; });
  }

  /// Deletes `key` if it has the value `old`. False if it has not, or is not there.
  bool compare_and_delete(const Key& key, const Value& old) {
    return change(key, nullptr, [&old](const Value* now) { return now != nullptr && *now == old; });
  }

  /// Calls visit(key, value) for the keys until it returns false. No snapshot: no key comes twice, but a key that is
  /// stored or deleted meanwhile comes with any value that it had during the call, or not at all.
  template <class Visit> void range(Visit visit) const {
    hazard_pointer protects_table;
    const table* walked = protects_table.protect(read_);
    if (walked->amended.load()) {
      protects_table.reset_protection();  // so that promotion can free that table
      const mutex_lock lock(mutex_);
      if (dirty_ != nullptr) promote_locked();
      walked = protects_table.protect(read_);
    }
    hazard_pointer protects_value;
    for (const auto& [key, each] : walked->entries) {
      const Value* const value = value_of(protects_value.protect(each->state));
      if (value != nullptr && !visit(key, *value)) return;
    }
  }

  /// Deletes every key.
  void clear() {
    auto empty = std::make_unique<table>();
    std::unique_ptr<table> dirty;  // its keys are destroyed after the lock is released
    table* read = nullptr;
    {
      const mutex_lock lock(mutex_);
      read = read_.exchange(empty.release());
      dirty_.swap(dirty);
      misses_ = 0;
    }
    retired_.retire(*read);
  }

  // ---- The contract of fixes/support/contract.hpp over these

  [[nodiscard]] std::optional<Value> find(const Key& key) const { return load(key); }

  /// True if `key` was not there and is now.
  bool insert(const Key& key, const Value& value) {
    return change(key, &value, [](const Value* now) { return now == nullptr; });
  }

  void insert_or_assign(const Key& key, const Value& value) { store(key, value); }
  std::optional<Value> erase(const Key& key) { return load_and_delete(key); }
  bool erase_if_equal(const Key& key, const Value& value) { return compare_and_delete(key, value); }

  template <class Visit> void for_each(Visit visit) const {
    range([&visit](const Key& key, const Value& value) {
      visit(key, value);
      return true;
    });
  }

 private:
  struct boxed final : hazard_object {
    explicit boxed(Value of) : value(std::move(of)) {}
    const Value value;
  };
  struct marker final : hazard_object {};

  struct entry {
    explicit entry(std::unique_ptr<boxed> first) noexcept : state(first.release()) {}
    entry(const entry&) = delete;
    entry& operator=(const entry&) = delete;
    ~entry() {
      if (hazard_object* const last = state.load(); last != expunged()) delete static_cast<boxed*>(last);
    }
    std::atomic<hazard_object*> state;
  };

  struct table final : hazard_object {
    std::unordered_map<Key, std::shared_ptr<entry>, Hash, Equal> entries;
    // From false to true once, by the holder of mutex_. A reader who finds it false after he missed a key knows that
    // the key was not there when he loaded read_.
    std::atomic<bool> amended{false};
  };

  enum class outcome { refused, changed, expunged };

  static hazard_object* expunged() noexcept { return &expunged_mark; }

  /// What an entry's state says: a value, or null for a key that is not there.
  static const Value* value_of(const hazard_object* state) noexcept {
    return state == nullptr || state == expunged() ? nullptr : &static_cast<const boxed*>(state)->value;
  }

  static void copy_to(std::optional<Value>& to, const Value* from) {
    to.reset();
    if (from != nullptr) to.emplace(*from);
  }

  /// What all operations on one key have in common. Calls decide(value, or null if the key is not there); on true gives
  /// the key the value `wanted`, or deletes it if that is null, unless another thread comes between: then it decides
  /// anew. Returns what was decided last. `decide` never says true to deleting a key that is not there.
  ///
  /// Const, for load() is one of them: every look for a key may end in a promotion.
  template <class Decide> bool change(const Key& key, const Value* wanted, Decide decide) const {
    {
      table* read = nullptr;
      const hazard_pointer protects(read_, read);
      if (const auto at = read->entries.find(key); at != read->entries.end()) {
        const outcome end = change_entry(*at->second, wanted, decide);
        if (end != outcome::expunged) return end == outcome::changed;
      } else if (!read->amended.load() && !decide(nullptr)) {
        return false;
      }
    }
    const mutex_lock lock(mutex_);
    return change_locked(key, wanted, decide);
  }

  template <class Decide>
  bool change_locked(const Key& key, const Value* wanted, Decide& decide) const RACELAB_REQUIRES(mutex_) {
    table& read = *read_.load();
    if (const auto at = read.entries.find(key); at != read.entries.end()) {
      const outcome end = change_entry(*at->second, wanted, decide);
      if (end == outcome::expunged) restore_locked(key, at->second, *wanted);
      return end != outcome::refused;
    }
    if (dirty_ != nullptr) {
      const auto at = dirty_->entries.find(key);
      const bool is_there = at != dirty_->entries.end();
      const bool decided =
          is_there ? change_entry(*at->second, wanted, decide) == outcome::changed : decide(nullptr);
      if (is_there && decided && wanted == nullptr) dirty_->entries.erase(at);
      if (is_there || !decided) {
        missed_locked();
        return decided;
      }
    } else if (!decide(nullptr)) {
      return false;
    }
    insert_locked(read, key, *wanted);
    return true;
  }

  /// Without a lock. `expunged`: decided, but the entry is not in dirty_, so that the change must be made by the holder
  /// of mutex_.
  template <class Decide> outcome change_entry(entry& changed, const Value* wanted, Decide& decide) const {
    std::unique_ptr<boxed> fresh;
    hazard_pointer protects;
    for (;;) {
      // Protected, it can't come back as another value at the same address (ABA).
      hazard_object* now = protects.protect(changed.state);
      if (!decide(value_of(now))) return outcome::refused;
      if (now == expunged()) return outcome::expunged;
      if (wanted != nullptr && fresh == nullptr) fresh = std::make_unique<boxed>(*wanted);
      if (!changed.state.compare_exchange_strong(now, fresh.get())) continue;
      static_cast<void>(fresh.release());
      if (now != nullptr) retired_.retire(*now, batch);
      return outcome::changed;
    }
  }

  /// Gives a key that is expunged from dirty_ a value.
  void restore_locked(const Key& key, const std::shared_ptr<entry>& restored, const Value& wanted) const
      RACELAB_REQUIRES(mutex_) {
    auto fresh = std::make_unique<boxed>(wanted);
    dirty_->entries.emplace(key, restored);
    restored->state.store(fresh.release());
  }

  /// Adds a key that neither table has.
  void insert_locked(table& read, const Key& key, const Value& wanted) const RACELAB_REQUIRES(mutex_) {
    auto fresh = std::make_shared<entry>(std::make_unique<boxed>(wanted));
    if (dirty_ == nullptr) dirty_ = copied_locked(read);
    dirty_->entries.emplace(key, std::move(fresh));
    read.amended.store(true);
  }

  /// The read table's entries, the deleted ones apart, which are expunged.
  std::unique_ptr<table> copied_locked(const table& read) const RACELAB_REQUIRES(mutex_) {
    auto copy = std::make_unique<table>();
    try {
      for (const auto& [key, each] : read.entries) {
        hazard_object* deleted = nullptr;
        if (!each->state.compare_exchange_strong(deleted, expunged())) copy->entries.emplace(key, each);
      }
    } catch (...) {
      // Invariant 2: without dirty_, none was expunged before, and none may be.
      for (const auto& [key, each] : read.entries)
        if (each->state.load() == expunged()) each->state.store(nullptr);
      throw;
    }
    return copy;
  }

  /// A key was looked for in dirty_. As many such looks as it has keys pay for the copy that follows a promotion.
  void missed_locked() const noexcept RACELAB_REQUIRES(mutex_) {
    if (++misses_ >= dirty_->entries.size()) promote_locked();
  }

  void promote_locked() const noexcept RACELAB_REQUIRES(mutex_) {
    table* const replaced = read_.exchange(dirty_.release());
    misses_ = 0;
    retired_.retire(*replaced);
  }

  static constexpr std::size_t batch =
      64;  // so many replaced values are worth a look through all hazard pointers
  static inline constinit marker expunged_mark{};

  // Mutable, all of it: see change().
  mutable std::atomic<table*> read_;
  mutable annotated_mutex mutex_;
  mutable std::unique_ptr<table> dirty_ RACELAB_GUARDED_BY(mutex_);
  mutable std::size_t misses_ RACELAB_GUARDED_BY(mutex_) = 0;
  mutable retire_list retired_;
};

}  // namespace racelab
