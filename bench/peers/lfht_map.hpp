// liburcu's cds_lfht: a lock-free hash table whose readers take part in RCU, resized by a thread of its own.
//
// library: liburcu
// needs: urcu/rculfhash.h
// links: urcu-memb
// links: urcu-cds
#pragma once

#include <urcu/urcu-memb.h>
// The flavour comes first.
#include <urcu/rculfhash.h>

#include <cstddef>
#include <functional>
#include <new>
#include <optional>

namespace racelab::bench {

/// A thread takes part in RCU from its first operation to its end.
struct rcu_reader {
  rcu_reader() { urcu_memb_register_thread(); }
  ~rcu_reader() { urcu_memb_unregister_thread(); }
  rcu_reader(const rcu_reader&) = delete;
  rcu_reader& operator=(const rcu_reader&) = delete;
  static void here() { static thread_local const rcu_reader reader; }
};

template <class Key, class Value> class lfht_map {
 public:
  using key_type = Key;
  using mapped_type = Value;

  // It grows by the count of entries: by the length of chains alone, which are long while growing lags behind, it becomes a
  // thousand times as large as it needs to be.
  lfht_map()
      : table_(cds_lfht_new_flavor(1024, 1024, 0, CDS_LFHT_AUTO_RESIZE | CDS_LFHT_ACCOUNTING,
                                   &urcu_memb_flavor, nullptr)) {
    if (table_ == nullptr) throw std::bad_alloc();
  }
  lfht_map(const lfht_map&) = delete;
  lfht_map& operator=(const lfht_map&) = delete;
  ~lfht_map() {
    rcu_reader::here();
    urcu_memb_read_lock();
    cds_lfht_iter at{};
    for (cds_lfht_first(table_, &at); cds_lfht_iter_get_node(&at) != nullptr; cds_lfht_next(table_, &at))
      remove(cds_lfht_iter_get_node(&at));
    urcu_memb_read_unlock();
    urcu_memb_barrier();
    cds_lfht_destroy(table_, nullptr);
  }

  [[nodiscard]] std::optional<Value> find(const Key& key) const {
    rcu_reader::here();
    urcu_memb_read_lock();
    const entry* const found = entry_of(lookup(key));
    std::optional<Value> value;
    if (found != nullptr) value.emplace(found->value);
    urcu_memb_read_unlock();
    return value;
  }
  bool insert(const Key& key, const Value& value) {
    rcu_reader::here();
    auto* const fresh = new entry{{}, {}, key, value};
    cds_lfht_node_init(&fresh->node);
    urcu_memb_read_lock();
    const bool added = cds_lfht_add_unique(table_, hash(key), has_key, &key, &fresh->node) == &fresh->node;
    urcu_memb_read_unlock();
    if (!added) delete fresh;
    return added;
  }
  void insert_or_assign(const Key& key, const Value& value) {
    rcu_reader::here();
    auto* const fresh = new entry{{}, {}, key, value};
    cds_lfht_node_init(&fresh->node);
    urcu_memb_read_lock();
    cds_lfht_node* const replaced = cds_lfht_add_replace(table_, hash(key), has_key, &key, &fresh->node);
    if (replaced != nullptr) free_later(replaced);
    urcu_memb_read_unlock();
  }
  std::optional<Value> erase(const Key& key) {
    rcu_reader::here();
    std::optional<Value> removed;
    urcu_memb_read_lock();
    cds_lfht_node* const node = lookup(key);
    if (node != nullptr) {
      const Value value = entry_of(node)->value;
      if (remove(node)) removed.emplace(value);
    }
    urcu_memb_read_unlock();
    return removed;
  }

 private:
  struct entry {
    cds_lfht_node node;  // first: an entry is where its node is
    rcu_head removal;
    Key key;
    Value value;
  };

  static entry* entry_of(cds_lfht_node* node) { return reinterpret_cast<entry*>(node); }
  static int has_key(cds_lfht_node* node, const void* key) {
    return entry_of(node)->key == *static_cast<const Key*>(key) ? 1 : 0;
  }
  // std::hash of an integer is itself; the table goes by the reversed bits, and wants them mixed.
  static unsigned long hash(const Key& key) {
    const std::size_t plain = std::hash<Key>()(key);
    return (plain ^ (plain >> 32U)) * 0x9e37'79b9'7f4a'7c15;
  }
  cds_lfht_node* lookup(const Key& key) const {
    cds_lfht_iter at{};
    cds_lfht_lookup(table_, hash(key), has_key, &key, &at);
    return cds_lfht_iter_get_node(&at);
  }
  // Whether it was this call that removed it.
  bool remove(cds_lfht_node* node) {
    if (cds_lfht_del(table_, node) != 0) return false;
    free_later(node);
    return true;
  }
  static void free_later(cds_lfht_node* node) {
    urcu_memb_call_rcu(&entry_of(node)->removal, [](rcu_head* removal) {
      delete reinterpret_cast<entry*>(reinterpret_cast<char*>(removal) - offsetof(entry, removal));
    });
  }

  cds_lfht* table_;
};

}  // namespace racelab::bench
