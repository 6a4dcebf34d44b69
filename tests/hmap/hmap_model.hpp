// hmap against a model, one operation at a time, with iterators that stay open while the map changes. The
// random test and the fuzzer both drive it; a difference throws std::logic_error.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "repro/support/hmap/hmap.hpp"

namespace racelab::hmap_model {

inline void require(bool holds, const char* claim) {
  if (!holds) throw std::logic_error(claim);
}

/// Keys are made of small numbers, and can be turned back. Long strings, so that some live on the heap.
template <class K> K make_key(std::uint64_t number) {
  if constexpr (std::is_arithmetic_v<K>) {
    return static_cast<K>(number);
  } else {
    return "key-" + std::to_string(number) +
           (number % 2 == 0 ? " that is too long to live inside the string" : "");
  }
}

template <class K> std::uint64_t number_of(const K& key) {
  if constexpr (std::is_arithmetic_v<K>) {
    return static_cast<std::uint64_t>(key);
  } else {
    return std::stoull(key.substr(4));
  }
}

/// Few buckets and few tophash bytes: long chains, overflow buckets, growth at the same size.
template <class K> struct poor_hash {
  std::uint64_t operator()(const K& key, std::uint32_t seed) const {
    const std::uint64_t good = go_hash<K>{}(key, seed);
    return (good & 0x0300'0000'0000'0000) | (good & 0x29);
  }
};

/// One map beside its model. Values are strings, so that a cell that is not destroyed, or twice, is seen by
/// ASan.
template <class K, class Hash = go_hash<K>> class pair_of_maps {
 public:
  using map = hmap<K, std::string, write_flag::off, Hash>;
  static constexpr unsigned operations = 16;

  explicit pair_of_maps(std::size_t hint = 0) : map_(std::make_unique<map>(hint)) {}

  /// Applies operation `which` % operations with the key and the value made of `number` and `content`.
  void apply(unsigned which, std::uint64_t number, std::uint64_t content) {
    const K key = make_key<K>(number);
    const std::string value = value_of(content);
    const auto known = model_.find(number);
    switch (which % operations) {
      case 0:
      case 1:
        require(map_->insert(key, value) == model_.emplace(number, value).second, "insert");
        break;
      case 2:
      case 3:
        map_->insert_or_assign(key, value);
        model_[number] = value;
        break;
      case 4:
      case 5:
      case 6:
        require(map_->erase(key) == expected(number), "erase");
        forget(number);
        break;
      case 7: {
        const bool equal = known != model_.end() && known->second == value;
        require(map_->erase_if_equal(key, value) == equal, "erase_if_equal");
        if (equal) forget(number);
        break;
      }
      case 8:
        require(map_->find(key) == expected(number), "find");
        break;
      case 9:
      case 10:
        step(iterators_[number % iterators_.size()]);
        break;
      case 11:
        walk(iterators_[number % iterators_.size()]);
        break;
      case 12:
        replace(content);
        break;
      case 13:
        insert_nan();
        break;
      case 14:
        compare(*map_);
        break;
      default:
        if (content % 8 == 0) clear();
    }
    require(map_->size() == model_.size(), "size");
  }

  /// The whole map against the whole model.
  void compare(const map& which) const {
    std::unordered_map<std::uint64_t, std::string> walked;
    which.for_each([&](const K& key, const std::string& value) {
      require(walked.emplace(identity(key, value), value).second, "for_each: no entry twice");
    });
    require(walked == model_, "for_each: the entries of the model");
  }

  void clear() {
    map_->clear();
    model_.clear();
    for (open_iterator& open : iterators_) {
      open.due.clear();
      open.seen.clear();
    }
  }

  [[nodiscard]] std::size_t size() const { return model_.size(); }
  [[nodiscard]] const map& real() const { return *map_; }

 private:
  // NaNs are entries of their own, each with its own value: there the number is kept.
  static constexpr std::uint64_t first_nan = std::uint64_t{1} << 40;

  struct open_iterator {
    std::optional<typename map::hiter> at;
    std::unordered_set<std::uint64_t> due;   // there since the start: must still come
    std::unordered_set<std::uint64_t> seen;  // came, and not erased since: must not come again
  };

  static std::string value_of(std::uint64_t content) {
    return std::to_string(content) + (content % 2 == 0 ? " and a good deal of text behind it" : "");
  }
  static std::uint64_t identity(const K& key, const std::string& value) {
    const bool is_nan = !(key == key);  // NOLINT(misc-redundant-expression)
    return is_nan ? std::stoull(value) : number_of(key);
  }
  std::optional<std::string> expected(std::uint64_t number) const {
    const auto known = model_.find(number);
    return known == model_.end() ? std::nullopt : std::optional(known->second);
  }

  void forget(std::uint64_t number) {
    model_.erase(number);
    for (open_iterator& open : iterators_) {
      open.due.erase(number);
      open.seen.erase(number);
    }
  }

  void step(open_iterator& open) {
    if (!open.at) {
      for (const auto& [number, value] : model_) open.due.insert(number);
      open.at.emplace(*map_);
    } else {
      open.at->next();
    }
    if (!*open.at) {
      require(open.due.empty(), "iterator: every entry that stayed is visited");
      open.at.reset();
      open.seen.clear();
      return;
    }
    const std::uint64_t number = identity(open.at->key(), open.at->elem());
    require(expected(number) == open.at->elem(), "iterator: only entries of this moment, with their values");
    require(open.seen.insert(number).second, "iterator: no entry twice");
    open.due.erase(number);
  }

  void walk(open_iterator& open) {
    do step(open);
    while (open.at);
  }

  // The map becomes a copy of itself, or is moved. Iterators don't survive that.
  void replace(std::uint64_t content) {
    for (open_iterator& open : iterators_) {
      open.at.reset();
      open.due.clear();
      open.seen.clear();
    }
    auto next = content % 2 == 0 ? std::make_unique<map>(*map_) : std::make_unique<map>(std::move(*map_));
    compare(*next);
    if (content % 2 == 0) {
      compare(*map_);
    } else {
      require(map_->size() == 0, "a map that was moved from is empty");
      map_->insert_or_assign(make_key<K>(1), "and can be used");
      require(map_->size() == 1, "a map that was moved from can be used");
    }
    map_ = std::move(next);
  }

  void insert_nan() {
    if constexpr (std::is_floating_point_v<K>) {
      const K nan = std::numeric_limits<K>::quiet_NaN();
      if (nans_ == 40) return;
      const std::uint64_t number = first_nan + nans_++;
      require(map_->insert(nan, value_of(number)), "a NaN is new every time");
      model_[number] = value_of(number);
      require(!map_->find(nan) && !map_->erase(nan), "a NaN is not found again");
    }
  }

  std::unique_ptr<map> map_;
  std::unordered_map<std::uint64_t, std::string> model_;
  std::array<open_iterator, 3> iterators_;
  std::uint64_t nans_ = 0;
};

}  // namespace racelab::hmap_model
