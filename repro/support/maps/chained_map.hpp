// The hash table of the textbooks, and of Java's HashMap up to Java 7: an array of chains that doubles when
// it is three quarters full, moving its nodes to the front of their new chains. Two threads that grow it at
// once turn a chain around twice, and it ends as a ring. Old arrays live until the end, as a collector would
// keep them for whoever still reads them: what fails here is the chain, not reclamation.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

namespace racelab {

template <class Key, class Value> class chained_map {
 public:
  using key_type = Key;
  using mapped_type = Value;

  chained_map() : table_(new table{std::vector<node*>(16), nullptr}) {}
  chained_map(const chained_map&) = delete;
  chained_map& operator=(const chained_map&) = delete;

  ~chained_map() {
    for (node* each : table_->chains)
      while (each != nullptr) delete std::exchange(each, each->next);
    while (table_ != nullptr) delete std::exchange(table_, table_->previous);
  }

  [[gnu::noinline]] std::optional<Value> find(const Key& key) const {
    for (const node* each = table_->chains[chain_of(key, *table_)]; each != nullptr; each = each->next)
      if (each->key == key) return each->value;
    return std::nullopt;
  }

  [[gnu::noinline]] void insert_or_assign(const Key& key, const Value& value) {
    for (node* each = table_->chains[chain_of(key, *table_)]; each != nullptr; each = each->next)
      if (each->key == key) {
        each->value = value;
        return;
      }
    if (++size_ > table_->chains.size() / 4 * 3) grow();
    node*& head = table_->chains[chain_of(key, *table_)];
    head = new node{key, value, head};
  }

  template <class Visit> void for_each(Visit visit) const {
    for (const node* each : table_->chains)
      for (; each != nullptr; each = each->next) visit(each->key, each->value);
  }

  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  struct node {
    Key key;
    Value value;
    node* next;
  };
  struct table {
    std::vector<node*> chains;
    table* previous;
  };

  static std::size_t chain_of(const Key& key, const table& in) {
    return std::hash<Key>{}(key) % in.chains.size();
  }

  [[gnu::noinline]] void grow() {
    table* old = table_;
    auto* wider = new table{std::vector<node*>(2 * old->chains.size()), old};
    for (node* each : old->chains)
      while (each != nullptr) {
        node* next =
            each->next;  // a thread that stops here goes on with a chain that another has turned around
        node*& head = wider->chains[chain_of(each->key, *wider)];
        each->next = head;
        head = each;
        each = next;
      }
    table_ = wider;
  }

  table* table_;
  std::size_t size_ = 0;
};

template <class Key, class Value> using lab_map = chained_map<Key, Value>;

}  // namespace racelab
