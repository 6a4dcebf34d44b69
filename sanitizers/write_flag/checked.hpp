// checked<Map>: a map that notices when two threads use it at once, as Go's map does.
//
//   racelab::checked<std::unordered_map<std::string, int>> map;   // then use it as before
//
// Map is std::unordered_map, std::map, boost::unordered_flat_map, absl::flat_hash_map or any other with their
// interface. Every operation checks and, if it writes, sets the map's flag (sanitizers/write_flag/flag.hpp);
// what is found goes to the policy in sanitizers/write_flag/report.hpp, which by default prints both threads
// and ends the process. Link racelab_write_flag.
//
// Writes: operator[], insert…, emplace…, erase, clear, extract, merge, reserve, rehash, assignment, swap, and
// the source of a move. Reads: find, at, count, contains, equal_range, lower_bound and upper_bound, ==.
// begin() and each ++ of an iterator check once for a write that is going on. size() and empty() too. A copy
// reads its source.
//
// Blind spots:
// - What is done with an element is not seen: stores through references, pointers or iterators.
// - Two operations must really overlap. ThreadSanitizer also reports those that happened not to.
// - Readers leave no mark, so a write or a destruction that begins during a read is not seen by either.
// - Each ++ of an iterator checks for that moment only.
// - Bucket iterators (begin(n)) and functions that look at constants (bucket_count() …) are not checked.
// - An iterator watches the map object it was taken from: after swap, merge, extract or a move take a new one.
//
// Defining RACELAB_WRITE_FLAG_OFF before the first inclusion makes checked<Map> another name for Map: no
// code, no member, no symbol is left. Translation units that disagree about it don't link where they share a
// map.
#pragma once

#ifdef RACELAB_WRITE_FLAG_OFF

namespace racelab {
template <typename Map> using checked = Map;
}  // namespace racelab

#else

#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <type_traits>
#include <utility>

#include "sanitizers/write_flag/flag.hpp"

// The wrapper adds no call of its own: what the compiler does with a call of the map's function is as before.
#define RACELAB_INLINE [[gnu::always_inline]]

namespace racelab {

template <typename Map> class checked;

namespace write_flag {

/// A map's iterator that checks for a write at each step: the map's own and a pointer to the checked<Map>.
template <typename Inner, typename Map> class checked_iterator {
 public:
  using iterator_category = typename std::iterator_traits<Inner>::iterator_category;
  using value_type = typename std::iterator_traits<Inner>::value_type;
  using difference_type = typename std::iterator_traits<Inner>::difference_type;
  using pointer = typename std::iterator_traits<Inner>::pointer;
  using reference = typename std::iterator_traits<Inner>::reference;

  checked_iterator() = default;
  checked_iterator(Inner at, const checked<Map>& map) : at_(at), map_(&map) {}
  /// From an iterator to a const_iterator.
  template <typename Other>
    requires(!std::same_as<Other, Inner> && std::convertible_to<const Other&, Inner>)
  checked_iterator(const checked_iterator<Other, Map>& other) : at_(other.at_), map_(other.map_) {}

  reference operator*() const { return *at_; }
  pointer operator->() const { return at_.operator->(); }

  checked_iterator& operator++() {
    map_->flag_.check(misuse::iteration_and_write, map_);
    ++at_;
    return *this;
  }
  checked_iterator operator++(int) {
    checked_iterator before = *this;
    ++*this;
    return before;
  }
  checked_iterator& operator--()
    requires std::bidirectional_iterator<Inner>
  {
    map_->flag_.check(misuse::iteration_and_write, map_);
    --at_;
    return *this;
  }
  checked_iterator operator--(int)
    requires std::bidirectional_iterator<Inner>
  {
    checked_iterator before = *this;
    --*this;
    return before;
  }

  template <typename Other> bool operator==(const checked_iterator<Other, Map>& other) const {
    return at_ == other.base();
  }

  /// The map's own iterator.
  const Inner& base() const noexcept { return at_; }

 private:
  template <typename Other, typename OtherMap> friend class checked_iterator;

  Inner at_{};
  const checked<Map>* map_ = nullptr;
};

// Member types that only some maps have.
template <typename Map> struct hash_types {};
template <typename Map>
  requires requires {
    typename Map::hasher;
    typename Map::key_equal;
  }
struct hash_types<Map> {
  using hasher = typename Map::hasher;
  using key_equal = typename Map::key_equal;
};

template <typename Map> struct order_types {};
template <typename Map>
  requires requires {
    typename Map::key_compare;
    typename Map::value_compare;
  }
struct order_types<Map> {
  using key_compare = typename Map::key_compare;
  using value_compare = typename Map::value_compare;
};

template <typename Map> struct node_types {};
template <typename Map>
  requires requires { typename Map::node_type; }
struct node_types<Map> {
  using node_type = typename Map::node_type;
  struct insert_return_type {
    checked_iterator<typename Map::iterator, Map> position;
    bool inserted = false;
    node_type node;
  };
};

/// The map takes keys of other types without building a key_type.
template <typename Map>
concept transparent = requires {
  typename Map::hasher::is_transparent;
  typename Map::key_equal::is_transparent;
} || requires { typename Map::key_compare::is_transparent; };

}  // namespace write_flag

/// See the top of this file. Thread safety is that of Map: this class finds misuse, it prevents none.
template <typename Map>
class checked : public write_flag::hash_types<Map>,
                public write_flag::order_types<Map>,
                public write_flag::node_types<Map> {
  using misuse = write_flag::misuse;
  using flag = write_flag::flag;

 public:
  using key_type = typename Map::key_type;
  using mapped_type = typename Map::mapped_type;
  using value_type = typename Map::value_type;
  using size_type = typename Map::size_type;
  using difference_type = typename Map::difference_type;
  using allocator_type = typename Map::allocator_type;
  using reference = typename Map::reference;
  using const_reference = typename Map::const_reference;
  using pointer = typename Map::pointer;
  using const_pointer = typename Map::const_pointer;
  using iterator = write_flag::checked_iterator<typename Map::iterator, Map>;
  using const_iterator = write_flag::checked_iterator<typename Map::const_iterator, Map>;

  // --- Construction: whatever constructs a Map, a Map itself included.

  checked() = default;
  template <typename... Arguments>
    requires(sizeof...(Arguments) > 0 && std::constructible_from<Map, Arguments...> &&
             !(std::derived_from<std::remove_cvref_t<Arguments>, checked> || ...))
  explicit checked(Arguments&&... arguments) : map_(std::forward<Arguments>(arguments)...) {}
  checked(std::initializer_list<value_type> values) : map_(values) {}
  template <typename... Arguments>
    requires(sizeof...(Arguments) > 0 &&
             std::constructible_from<Map, std::initializer_list<value_type>, Arguments...>)
  checked(std::initializer_list<value_type> values, Arguments&&... arguments)
      : map_(values, std::forward<Arguments>(arguments)...) {}

  checked(const checked& other) : map_(other.cloned([](const Map& map) { return Map(map); })) {}
  checked(const checked& other, const allocator_type& allocator)
      : map_(other.cloned([&](const Map& map) { return Map(map, allocator); })) {}
  checked(checked&& other) noexcept(std::is_nothrow_move_constructible_v<Map>)
      : map_(other.moved([](Map& map) { return Map(std::move(map)); })) {}
  checked(checked&& other, const allocator_type& allocator)
      : map_(other.moved([&](Map& map) { return Map(std::move(map), allocator); })) {}

  checked& operator=(const checked& other) {
    if (this == &other) return *this;
    const flag::writing write(flag_, this);
    other.flag_.check(misuse::clone_and_write, &other);
    map_ = other.map_;
    return *this;
  }
  checked& operator=(checked&& other) noexcept(std::is_nothrow_move_assignable_v<Map>) {
    if (this == &other) return *this;
    const flag::writing write(flag_, this);
    const flag::writing write_other(other.flag_, &other, misuse::moved_in_use);
    map_ = std::move(other.map_);
    return *this;
  }
  checked& operator=(std::initializer_list<value_type> values) {
    const flag::writing write(flag_, this);
    map_ = values;
    return *this;
  }
  ~checked() { flag_.destroyed(this); }

  /// The plain map, moved out: Map(std::move(checked)).
  explicit operator Map() && {
    return moved([](Map& map) { return Map(std::move(map)); });
  }

  // --- Iteration.

  RACELAB_INLINE iterator begin() {
    flag_.check(misuse::iteration_and_write, this);
    return wrap(map_.begin());
  }
  RACELAB_INLINE const_iterator begin() const {
    flag_.check(misuse::iteration_and_write, this);
    return wrap(map_.begin());
  }
  RACELAB_INLINE const_iterator cbegin() const { return begin(); }
  RACELAB_INLINE iterator end() { return wrap(map_.end()); }
  RACELAB_INLINE const_iterator end() const { return wrap(map_.end()); }
  RACELAB_INLINE const_iterator cend() const { return end(); }

  auto rbegin()
    requires std::bidirectional_iterator<typename Map::iterator>
  {
    return std::make_reverse_iterator(end());
  }
  auto rbegin() const
    requires std::bidirectional_iterator<typename Map::const_iterator>
  {
    return std::make_reverse_iterator(end());
  }
  auto rend()
    requires std::bidirectional_iterator<typename Map::iterator>
  {
    return std::make_reverse_iterator(begin());
  }
  auto rend() const
    requires std::bidirectional_iterator<typename Map::const_iterator>
  {
    return std::make_reverse_iterator(begin());
  }

  // --- Size.

  RACELAB_INLINE size_type size() const noexcept {
    flag_.check(misuse::len_and_write, this);
    return map_.size();
  }
  RACELAB_INLINE [[nodiscard]] bool empty() const noexcept {
    flag_.check(misuse::len_and_write, this);
    return map_.empty();
  }
  size_type max_size() const noexcept { return map_.max_size(); }

  // --- Lookup. The second form of each takes other types of keys, where the map does.

  RACELAB_INLINE iterator find(const key_type& key) {
    flag_.check(misuse::read_and_write, this);
    return wrap(map_.find(key));
  }
  RACELAB_INLINE const_iterator find(const key_type& key) const {
    flag_.check(misuse::read_and_write, this);
    return wrap(map_.find(key));
  }
  template <typename Key>
    requires write_flag::transparent<Map>
  RACELAB_INLINE iterator find(const Key& key) {
    flag_.check(misuse::read_and_write, this);
    return wrap(map_.find(key));
  }
  template <typename Key>
    requires write_flag::transparent<Map>
  RACELAB_INLINE const_iterator find(const Key& key) const {
    flag_.check(misuse::read_and_write, this);
    return wrap(map_.find(key));
  }

  RACELAB_INLINE bool contains(const key_type& key) const {
    flag_.check(misuse::read_and_write, this);
    return map_.contains(key);
  }
  template <typename Key>
    requires write_flag::transparent<Map>
  RACELAB_INLINE bool contains(const Key& key) const {
    flag_.check(misuse::read_and_write, this);
    return map_.contains(key);
  }

  RACELAB_INLINE size_type count(const key_type& key) const {
    flag_.check(misuse::read_and_write, this);
    return map_.count(key);
  }
  template <typename Key>
    requires write_flag::transparent<Map>
  RACELAB_INLINE size_type count(const Key& key) const {
    flag_.check(misuse::read_and_write, this);
    return map_.count(key);
  }

  RACELAB_INLINE mapped_type& at(const key_type& key) {
    flag_.check(misuse::read_and_write, this);
    return map_.at(key);
  }
  RACELAB_INLINE const mapped_type& at(const key_type& key) const {
    flag_.check(misuse::read_and_write, this);
    return map_.at(key);
  }
  template <typename Key>
    requires write_flag::transparent<Map> && requires(Map& map, const Key& key) { map.at(key); }
  RACELAB_INLINE mapped_type& at(const Key& key) {
    flag_.check(misuse::read_and_write, this);
    return map_.at(key);
  }
  template <typename Key>
    requires write_flag::transparent<Map> && requires(const Map& map, const Key& key) { map.at(key); }
  RACELAB_INLINE const mapped_type& at(const Key& key) const {
    flag_.check(misuse::read_and_write, this);
    return map_.at(key);
  }

  RACELAB_INLINE std::pair<iterator, iterator> equal_range(const key_type& key) {
    flag_.check(misuse::read_and_write, this);
    return wrap(map_.equal_range(key));
  }
  RACELAB_INLINE std::pair<const_iterator, const_iterator> equal_range(const key_type& key) const {
    flag_.check(misuse::read_and_write, this);
    return wrap(map_.equal_range(key));
  }
  template <typename Key>
    requires write_flag::transparent<Map>
  RACELAB_INLINE std::pair<iterator, iterator> equal_range(const Key& key) {
    flag_.check(misuse::read_and_write, this);
    return wrap(map_.equal_range(key));
  }
  template <typename Key>
    requires write_flag::transparent<Map>
  RACELAB_INLINE std::pair<const_iterator, const_iterator> equal_range(const Key& key) const {
    flag_.check(misuse::read_and_write, this);
    return wrap(map_.equal_range(key));
  }

  template <typename Key>
    requires requires(Map& map, const Key& key) { map.lower_bound(key); }
  RACELAB_INLINE iterator lower_bound(const Key& key) {
    flag_.check(misuse::read_and_write, this);
    return wrap(map_.lower_bound(key));
  }
  template <typename Key>
    requires requires(const Map& map, const Key& key) { map.lower_bound(key); }
  RACELAB_INLINE const_iterator lower_bound(const Key& key) const {
    flag_.check(misuse::read_and_write, this);
    return wrap(map_.lower_bound(key));
  }
  template <typename Key>
    requires requires(Map& map, const Key& key) { map.upper_bound(key); }
  RACELAB_INLINE iterator upper_bound(const Key& key) {
    flag_.check(misuse::read_and_write, this);
    return wrap(map_.upper_bound(key));
  }
  template <typename Key>
    requires requires(const Map& map, const Key& key) { map.upper_bound(key); }
  RACELAB_INLINE const_iterator upper_bound(const Key& key) const {
    flag_.check(misuse::read_and_write, this);
    return wrap(map_.upper_bound(key));
  }

  // --- Insertion. As in Go, a call that finds its key there already is a write too: which it will be is not
  // known when it begins, and ThreadSanitizer's contract for these functions says so.

  RACELAB_INLINE mapped_type& operator[](const key_type& key) {
    const flag::writing write(flag_, this);
    return map_[key];
  }
  RACELAB_INLINE mapped_type& operator[](key_type&& key) {
    const flag::writing write(flag_, this);
    return map_[std::move(key)];
  }

  RACELAB_INLINE std::pair<iterator, bool> insert(const value_type& value) {
    const flag::writing write(flag_, this);
    return wrap(map_.insert(value));
  }
  RACELAB_INLINE std::pair<iterator, bool> insert(value_type&& value) {
    const flag::writing write(flag_, this);
    return wrap(map_.insert(std::move(value)));
  }
  template <typename Pair>
    requires std::constructible_from<value_type, Pair&&>
  RACELAB_INLINE std::pair<iterator, bool> insert(Pair&& pair) {
    const flag::writing write(flag_, this);
    return wrap(map_.insert(std::forward<Pair>(pair)));
  }
  RACELAB_INLINE iterator insert(const_iterator hint, const value_type& value) {
    const flag::writing write(flag_, this);
    return wrap(map_.insert(hint.base(), value));
  }
  RACELAB_INLINE iterator insert(const_iterator hint, value_type&& value) {
    const flag::writing write(flag_, this);
    return wrap(map_.insert(hint.base(), std::move(value)));
  }
  template <typename Pair>
    requires std::constructible_from<value_type, Pair&&>
  RACELAB_INLINE iterator insert(const_iterator hint, Pair&& pair) {
    const flag::writing write(flag_, this);
    return wrap(map_.insert(hint.base(), std::forward<Pair>(pair)));
  }
  template <std::input_iterator Input> RACELAB_INLINE void insert(Input first, Input last) {
    const flag::writing write(flag_, this);
    map_.insert(first, last);
  }
  RACELAB_INLINE void insert(std::initializer_list<value_type> values) {
    const flag::writing write(flag_, this);
    map_.insert(values);
  }
  template <typename Node>
    requires requires { requires std::same_as<Node, typename Map::node_type>; }
  RACELAB_INLINE auto insert(Node&& node) {
    const flag::writing write(flag_, this);
    auto result = map_.insert(std::forward<Node>(node));
    return
        typename checked::insert_return_type{wrap(result.position), result.inserted, std::move(result.node)};
  }
  template <typename Node>
    requires requires { requires std::same_as<Node, typename Map::node_type>; }
  RACELAB_INLINE iterator insert(const_iterator hint, Node&& node) {
    const flag::writing write(flag_, this);
    return wrap(map_.insert(hint.base(), std::forward<Node>(node)));
  }

  template <typename Key, typename Value>
    requires(std::convertible_to<Key &&, key_type> && std::is_assignable_v<mapped_type&, Value &&>)
  RACELAB_INLINE std::pair<iterator, bool> insert_or_assign(Key&& key, Value&& value) {
    const flag::writing write(flag_, this);
    return wrap(map_.insert_or_assign(as_key(std::forward<Key>(key)), std::forward<Value>(value)));
  }
  template <typename Key, typename Value>
    requires(std::convertible_to<Key &&, key_type> && std::is_assignable_v<mapped_type&, Value &&>)
  RACELAB_INLINE iterator insert_or_assign(const_iterator hint, Key&& key, Value&& value) {
    const flag::writing write(flag_, this);
    return wrap(
        map_.insert_or_assign(hint.base(), as_key(std::forward<Key>(key)), std::forward<Value>(value)));
  }

  template <typename... Arguments>
  RACELAB_INLINE std::pair<iterator, bool> emplace(Arguments&&... arguments) {
    const flag::writing write(flag_, this);
    return wrap(map_.emplace(std::forward<Arguments>(arguments)...));
  }
  template <typename... Arguments>
  RACELAB_INLINE iterator emplace_hint(const_iterator hint, Arguments&&... arguments) {
    const flag::writing write(flag_, this);
    return wrap(map_.emplace_hint(hint.base(), std::forward<Arguments>(arguments)...));
  }
  template <typename... Arguments>
  RACELAB_INLINE std::pair<iterator, bool> try_emplace(const key_type& key, Arguments&&... arguments) {
    const flag::writing write(flag_, this);
    return wrap(map_.try_emplace(key, std::forward<Arguments>(arguments)...));
  }
  template <typename... Arguments>
  RACELAB_INLINE std::pair<iterator, bool> try_emplace(key_type&& key, Arguments&&... arguments) {
    const flag::writing write(flag_, this);
    return wrap(map_.try_emplace(std::move(key), std::forward<Arguments>(arguments)...));
  }
  template <typename... Arguments>
  RACELAB_INLINE iterator try_emplace(const_iterator hint, const key_type& key, Arguments&&... arguments) {
    const flag::writing write(flag_, this);
    return wrap(map_.try_emplace(hint.base(), key, std::forward<Arguments>(arguments)...));
  }
  template <typename... Arguments>
  RACELAB_INLINE iterator try_emplace(const_iterator hint, key_type&& key, Arguments&&... arguments) {
    const flag::writing write(flag_, this);
    return wrap(map_.try_emplace(hint.base(), std::move(key), std::forward<Arguments>(arguments)...));
  }

  // --- Removal. erase(position) returns what the map's returns: an iterator, or nothing.

  RACELAB_INLINE auto erase(iterator position) { return erase_at(position.base()); }
  RACELAB_INLINE auto erase(const_iterator position)
    requires(!std::same_as<iterator, const_iterator>)
  {
    return erase_at(position.base());
  }
  RACELAB_INLINE iterator erase(const_iterator first, const_iterator last) {
    const flag::writing write(flag_, this);
    return wrap(map_.erase(first.base(), last.base()));
  }
  RACELAB_INLINE size_type erase(const key_type& key) {
    const flag::writing write(flag_, this);
    return map_.erase(key);
  }
  template <typename Key>
    requires(write_flag::transparent<Map> && !std::convertible_to<Key &&, iterator> &&
             !std::convertible_to<Key &&, const_iterator> &&
             requires(Map& map, Key&& key) { map.erase(key); })
  RACELAB_INLINE size_type erase(Key&& key) {
    const flag::writing write(flag_, this);
    return map_.erase(std::forward<Key>(key));
  }
  RACELAB_INLINE void clear() noexcept {
    const flag::writing write(flag_, this);
    map_.clear();
  }
  /// Found by argument-dependent lookup: call it without std::, which works for a plain map too.
  template <typename Predicate> friend size_type erase_if(checked& map, Predicate predicate) {
    const flag::writing write(map.flag_, &map);
    return static_cast<size_type>(erase_if(map.map_, predicate));
  }

  // --- Nodes, and whole maps.

  auto extract(const_iterator position)
    requires requires(Map& map) { map.extract(position.base()); }
  {
    const flag::writing write(flag_, this);
    return map_.extract(position.base());
  }
  auto extract(const key_type& key)
    requires requires(Map& map) { map.extract(key); }
  {
    const flag::writing write(flag_, this);
    return map_.extract(key);
  }

  template <typename Other>
    requires requires(Map& map, Other& other) { map.merge(other); }
  void merge(checked<Other>& other) {
    if (static_cast<const void*>(this) == &other) return;
    const flag::writing write(flag_, this);
    const flag::writing write_other(other.flag_, &other);
    map_.merge(other.map_);
  }
  template <typename Other>
    requires requires(Map& map, Other& other) { map.merge(other); }
  void merge(checked<Other>&& other) {
    merge(other);
  }
  template <typename Other>
    requires requires(Map& map, Other& other) { map.merge(other); }
  void merge(Other& other) {
    const flag::writing write(flag_, this);
    map_.merge(other);
  }

  void swap(checked& other) noexcept(std::is_nothrow_swappable_v<Map>) {
    if (this == &other) return;
    const flag::writing write(flag_, this);
    const flag::writing write_other(other.flag_, &other);
    map_.swap(other.map_);
  }
  friend void swap(checked& a, checked& b) noexcept(std::is_nothrow_swappable_v<Map>) { a.swap(b); }

  friend bool operator==(const checked& a, const checked& b) {
    a.flag_.check(misuse::iteration_and_write, &a);
    b.flag_.check(misuse::iteration_and_write, &b);
    return a.map_ == b.map_;
  }
  friend auto operator<=>(const checked& a, const checked& b)
    requires requires(const Map& map) { map <=> map; }
  {
    a.flag_.check(misuse::iteration_and_write, &a);
    b.flag_.check(misuse::iteration_and_write, &b);
    return a.map_ <=> b.map_;
  }

  // --- Buckets, and what the map was made with.

  void reserve(size_type elements)
    requires requires(Map& map) { map.reserve(elements); }
  {
    const flag::writing write(flag_, this);
    map_.reserve(elements);
  }
  void rehash(size_type buckets)
    requires requires(Map& map) { map.rehash(buckets); }
  {
    const flag::writing write(flag_, this);
    map_.rehash(buckets);
  }
  void max_load_factor(float factor)
    requires requires(Map& map) { map.max_load_factor(factor); }
  {
    const flag::writing write(flag_, this);
    map_.max_load_factor(factor);
  }
  float max_load_factor() const
    requires requires(const Map& map) { map.max_load_factor(); }
  {
    return map_.max_load_factor();
  }
  float load_factor() const
    requires requires(const Map& map) { map.load_factor(); }
  {
    flag_.check(misuse::len_and_write, this);
    return map_.load_factor();
  }
  size_type bucket_count() const
    requires requires(const Map& map) { map.bucket_count(); }
  {
    return map_.bucket_count();
  }
  size_type max_bucket_count() const
    requires requires(const Map& map) { map.max_bucket_count(); }
  {
    return map_.max_bucket_count();
  }
  size_type bucket(const key_type& key) const
    requires requires(const Map& map) { map.bucket(key); }
  {
    flag_.check(misuse::read_and_write, this);
    return map_.bucket(key);
  }
  size_type bucket_size(size_type bucket) const
    requires requires(const Map& map) { map.bucket_size(bucket); }
  {
    flag_.check(misuse::read_and_write, this);
    return map_.bucket_size(bucket);
  }
  auto begin(size_type bucket)
    requires requires(Map& map) { map.begin(bucket); }
  {
    return map_.begin(bucket);
  }
  auto begin(size_type bucket) const
    requires requires(const Map& map) { map.begin(bucket); }
  {
    return map_.begin(bucket);
  }
  auto cbegin(size_type bucket) const
    requires requires(const Map& map) { map.cbegin(bucket); }
  {
    return map_.cbegin(bucket);
  }
  auto end(size_type bucket)
    requires requires(Map& map) { map.end(bucket); }
  {
    return map_.end(bucket);
  }
  auto end(size_type bucket) const
    requires requires(const Map& map) { map.end(bucket); }
  {
    return map_.end(bucket);
  }
  auto cend(size_type bucket) const
    requires requires(const Map& map) { map.cend(bucket); }
  {
    return map_.cend(bucket);
  }

  allocator_type get_allocator() const noexcept { return map_.get_allocator(); }
  auto hash_function() const
    requires requires(const Map& map) { map.hash_function(); }
  {
    return map_.hash_function();
  }
  auto key_eq() const
    requires requires(const Map& map) { map.key_eq(); }
  {
    return map_.key_eq();
  }
  auto key_comp() const
    requires requires(const Map& map) { map.key_comp(); }
  {
    return map_.key_comp();
  }
  auto value_comp() const
    requires requires(const Map& map) { map.value_comp(); }
  {
    return map_.value_comp();
  }

  /// The map itself, unwatched: for a phase in which no other thread has it, and for measuring the flag's cost.
  [[nodiscard]] Map& unwatched() noexcept { return map_; }
  [[nodiscard]] const Map& unwatched() const noexcept { return map_; }

 private:
  template <typename Other> friend class checked;
  template <typename Inner, typename Owner> friend class write_flag::checked_iterator;

  template <typename Operation> Map cloned(Operation operation) const {
    flag_.check(misuse::clone_and_write, this);
    return operation(map_);
  }
  template <typename Operation> Map moved(Operation operation) {
    const flag::writing write(flag_, this, misuse::moved_in_use);
    return operation(map_);
  }

  iterator wrap(typename Map::iterator at) { return {at, *this}; }
  const_iterator wrap(typename Map::const_iterator at) const { return {at, *this}; }
  template <typename Inner, typename Second> auto wrap(std::pair<Inner, Second> pair) const {
    using wrapped = write_flag::checked_iterator<Inner, Map>;
    if constexpr (std::same_as<Inner, Second>)
      return std::pair(wrapped(pair.first, *this), wrapped(pair.second, *this));
    else
      return std::pair(wrapped(pair.first, *this), pair.second);
  }

  template <typename Inner> auto erase_at(const Inner& position) {
    const flag::writing write(flag_, this);
    if constexpr (std::is_void_v<decltype(map_.erase(position))>)
      map_.erase(position);
    else
      return wrap(typename Map::iterator(map_.erase(position)));
  }

  template <typename Key> static decltype(auto) as_key(Key&& key) {
    if constexpr (std::same_as<std::remove_cvref_t<Key>, key_type>)
      return std::forward<Key>(key);
    else
      return key_type(std::forward<Key>(key));
  }

  Map map_;
  mutable flag flag_;
};

}  // namespace racelab

#undef RACELAB_INLINE

#endif
