// On one thread checked<Map> is Map: random operations side by side, every way to call it, exceptions.
#include <gtest/gtest.h>

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstddef>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#include "sanitizers/write_flag/checked.hpp"

namespace {

using racelab::checked;
using racelab::write_flag::times_found;

template <typename Map> class both_maps : public testing::Test {
 public:
  both_maps(const both_maps&) = delete;
  both_maps& operator=(const both_maps&) = delete;

 protected:
  both_maps() = default;
  ~both_maps() override { EXPECT_EQ(times_found(), found_before_); }

  // The same entries, and each found under its key.
  void expect_same() const {
    ASSERT_EQ(tested_.size(), plain_.size());
    EXPECT_EQ(tested_.empty(), plain_.empty());
    std::size_t walked = 0;
    for (const auto& [key, value] : tested_) {
      ++walked;
      const auto at = plain_.find(key);
      ASSERT_NE(at, plain_.end());
      EXPECT_EQ(value, at->second);
    }
    EXPECT_EQ(walked, plain_.size());
  }

  checked<Map> tested_;
  Map plain_;
  std::uint64_t found_before_ = times_found();
};

using maps = testing::Types<std::unordered_map<int, std::string>, std::map<int, std::string>,
                            boost::unordered_flat_map<int, std::string>>;
TYPED_TEST_SUITE(both_maps, maps);

TYPED_TEST(both_maps, do_the_same_in_random_operations) {
  std::mt19937 random(20240601);
  const auto below = [&](unsigned bound) { return static_cast<int>(random() % bound); };
  auto& tested = this->tested_;
  auto& plain = this->plain_;
  for (int step = 0; step < 20'000; ++step) {
    const int key = below(200);
    const std::string value = std::to_string(step);
    switch (below(16)) {
      case 0: {
        tested[key] = value;
        plain[key] = value;
        break;
      }
      case 1: {
        EXPECT_EQ(tested.insert({key, value}).second, plain.insert({key, value}).second);
        break;
      }
      case 2: {
        const std::pair<const int, std::string> pair(key, value);
        const auto [at, inserted] = tested.insert(pair);
        EXPECT_EQ(inserted, plain.insert(pair).second);
        EXPECT_EQ(at->first, key);
        break;
      }
      case 3: {
        EXPECT_EQ(tested.emplace(key, value).second, plain.emplace(key, value).second);
        break;
      }
      case 4: {
        const auto [at, inserted] = tested.try_emplace(key, value);
        EXPECT_EQ(inserted, plain.try_emplace(key, value).second);
        EXPECT_EQ(at->second, plain.at(key));
        break;
      }
      case 5: {
        EXPECT_EQ(tested.insert_or_assign(key, value).second, plain.insert_or_assign(key, value).second);
        break;
      }
      case 6: {
        const std::vector<std::pair<int, std::string>> pairs{{key, value}, {key + 1, value}};
        tested.insert(pairs.begin(), pairs.end());
        plain.insert(pairs.begin(), pairs.end());
        break;
      }
      case 7: {
        EXPECT_EQ(tested.erase(key), plain.erase(key));
        break;
      }
      case 8: {
        const auto at = tested.find(key);
        ASSERT_EQ(at == tested.end(), plain.find(key) == plain.end());
        if (at == tested.end()) break;
        tested.erase(at);
        plain.erase(plain.find(key));
        break;
      }
      case 9: {
        const auto odd = [](const auto& entry) { return entry.first % 7 == 3; };
        EXPECT_EQ(erase_if(tested, odd), erase_if(plain, odd));
        break;
      }
      case 10: {
        EXPECT_EQ(tested.contains(key), plain.contains(key));
        EXPECT_EQ(tested.count(key), plain.count(key));
        break;
      }
      case 11: {
        if (plain.contains(key)) {
          EXPECT_EQ(tested.at(key), plain.at(key));
          EXPECT_EQ(std::as_const(tested).at(key), plain.at(key));
        } else {
          EXPECT_THROW(static_cast<void>(tested.at(key)), std::out_of_range);
        }
        break;
      }
      case 12: {
        const auto [first, last] = tested.equal_range(key);
        EXPECT_EQ(static_cast<std::size_t>(std::distance(first, last)), plain.count(key));
        break;
      }
      case 13: {
        checked<TypeParam> copy(tested);
        EXPECT_TRUE(copy == tested);
        copy[1000] = value;
        EXPECT_FALSE(copy == tested);
        if (below(2) == 0) copy = tested;
        tested = std::move(copy);
        plain = TypeParam(tested.begin(), tested.end());
        break;
      }
      case 14: {
        checked<TypeParam> other{{key, value}};
        TypeParam plain_other{{key, value}};
        swap(tested, other);
        tested.swap(other);
        other.merge(tested);
        tested.swap(other);
        plain_other.merge(plain);
        plain.swap(plain_other);
        break;
      }
      default: {
        if (below(20) != 0) break;
        tested.clear();
        plain.clear();
      }
    }
    if (step % 500 == 0) this->expect_same();
  }
  this->expect_same();
}

TYPED_TEST(both_maps, iterate_alike) {
  auto& map = this->tested_;
  using map_type = checked<TypeParam>;
  static_assert(std::forward_iterator<typename map_type::iterator>);
  static_assert(std::forward_iterator<typename map_type::const_iterator>);
  static_assert(std::is_convertible_v<typename map_type::iterator, typename map_type::const_iterator>);
  static_assert(!std::is_convertible_v<typename map_type::const_iterator, typename map_type::iterator>);
  map = {{1, "one"}, {2, "two"}, {3, "three"}};
  int sum = 0;
  for (auto at = map.begin(); at != map.end(); at++) {
    sum += at->first;
    (*at).second += "!";
  }
  EXPECT_EQ(sum, 6);
  EXPECT_EQ(map.at(3), "three!");
  EXPECT_EQ(std::distance(map.cbegin(), map.cend()), 3);
  EXPECT_TRUE(map.begin() == map.cbegin());
  const TypeParam copied(map.begin(), map.end());
  EXPECT_EQ(copied.size(), 3U);
  EXPECT_TRUE(map.erase(map.cbegin(), map.cend()) == map.end());
  EXPECT_TRUE(map.empty());
}

TYPED_TEST(both_maps, are_made_of_each_other) {
  TypeParam plain{{1, "one"}};
  checked<TypeParam> map(std::move(plain));
  EXPECT_EQ(map.at(1), "one");
  TypeParam back(std::move(map));
  EXPECT_EQ(back.at(1), "one");
  const checked<TypeParam> ranged(back.begin(), back.end());
  EXPECT_EQ(ranged.size(), 1U);
  const checked<TypeParam> with_allocator(ranged, ranged.get_allocator());
  EXPECT_TRUE(with_allocator == ranged);
  const checked<TypeParam> moved(checked<TypeParam>(ranged), ranged.get_allocator());
  EXPECT_TRUE(moved == ranged);
  static_assert(std::is_nothrow_move_constructible_v<checked<TypeParam>> ==
                std::is_nothrow_move_constructible_v<TypeParam>);
  static_assert(sizeof(checked<TypeParam>) == sizeof(TypeParam) + sizeof(std::uint64_t));
}

TYPED_TEST(both_maps, survive_using_themselves) {
  auto& map = this->tested_;
  map = {{1, "one"}};
  auto& same = map;
  map = same;
  map.swap(same);
  map = std::move(same);
  map.merge(same);
  EXPECT_TRUE(map == same);
  EXPECT_EQ(map.size(), 1U);
}

TEST(checked_unordered_map, hands_nodes_from_map_to_map) {
  checked<std::unordered_map<int, std::unique_ptr<int>>> from;
  checked<std::unordered_map<int, std::unique_ptr<int>>> to;
  from.emplace(1, std::make_unique<int>(10));
  from.try_emplace(2, std::make_unique<int>(20));
  auto node = from.extract(1);
  ASSERT_FALSE(node.empty());
  node.key() = 3;
  auto result = to.insert(std::move(node));
  EXPECT_TRUE(result.inserted);
  EXPECT_TRUE(result.node.empty());
  EXPECT_EQ(*result.position->second, 10);
  EXPECT_EQ(*to.insert(to.end(), from.extract(from.begin()))->second, 20);
  EXPECT_TRUE(from.empty());
  EXPECT_TRUE(from.extract(7).empty());
}

struct text_hash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};

TEST(checked_unordered_map, finds_keys_of_other_types) {
  checked<std::unordered_map<std::string, int, text_hash, std::equal_to<>>> map{{"one", 1}, {"two", 2}};
  const auto& constant = map;
  const std::string_view one = "one";
  EXPECT_EQ(map.find(one)->second, 1);
  EXPECT_EQ(constant.find(one)->second, 1);
  EXPECT_TRUE(map.contains(one));
  EXPECT_EQ(map.count("none"), 0U);
  EXPECT_EQ(map.equal_range(one).first->second, 1);
  EXPECT_EQ(map.find("two")->second, 2);
  EXPECT_EQ(map.erase("two"), 1U);
  EXPECT_EQ(map["one"], 1);
}

TEST(checked_flat_map, finds_and_erases_keys_of_other_types) {
  checked<boost::unordered_flat_map<std::string, int, text_hash, std::equal_to<>>> map{{"one", 1},
                                                                                       {"two", 2}};
  EXPECT_EQ(map.find(std::string_view("one"))->second, 1);
  EXPECT_EQ(map.erase(std::string_view("two")), 1U);
  EXPECT_EQ(map.size(), 1U);
}

TEST(checked_map, keeps_the_order_functions) {
  checked<std::map<std::string, int, std::less<>>> map{{"a", 1}, {"c", 3}};
  EXPECT_EQ(map.lower_bound("b")->first, "c");
  EXPECT_EQ(map.upper_bound(std::string("a"))->first, "c");
  EXPECT_EQ(std::as_const(map).lower_bound(std::string_view("b"))->second, 3);
  EXPECT_EQ(map.rbegin()->first, "c");
  EXPECT_EQ(std::prev(map.end())->first, "c");
  EXPECT_TRUE(map.key_comp()("a", "b"));
  const decltype(map) other{{"b", 2}};
  EXPECT_TRUE(map < other);
}

TEST(checked_unordered_map, keeps_the_bucket_functions) {
  checked<std::unordered_map<int, int>> map{{1, 1}, {2, 2}};
  map.reserve(100);
  EXPECT_GE(map.bucket_count(), 100U);
  EXPECT_EQ(map.bucket_size(map.bucket(1)), 1U);
  EXPECT_EQ(map.begin(map.bucket(1))->first, 1);
  EXPECT_GT(map.load_factor(), 0);
  map.max_load_factor(2);
  EXPECT_EQ(map.max_load_factor(), 2);
  EXPECT_TRUE(map.key_eq()(3, 3));
  EXPECT_EQ(map.hash_function()(3), std::hash<int>{}(3));
  EXPECT_GT(map.max_size(), 100U);
}

// Throws when told to: from the hash, the comparison or the copy.
struct throwing_key {
  int value = 0;
  static inline int fuse = 0;  // operations until it throws; 0: never

  static void burn() {
    if (fuse == 0) return;
    --fuse;
    if (fuse == 0) throw std::runtime_error("burnt");
  }
  throwing_key(int v) : value(v) {}
  throwing_key(const throwing_key& other) : value(other.value) { burn(); }
  throwing_key& operator=(const throwing_key&) = default;
  ~throwing_key() = default;
  friend bool operator==(const throwing_key& a, const throwing_key& b) {
    burn();
    return a.value == b.value;
  }
};
struct throwing_hash {
  std::size_t operator()(const throwing_key& key) const {
    throwing_key::burn();
    return static_cast<std::size_t>(key.value);
  }
};

TEST(checked_unordered_map, is_usable_after_an_exception_in_any_operation) {
  using map_type = checked<std::unordered_map<throwing_key, int, throwing_hash>>;
  const auto found = times_found();
  const throwing_key one(1);
  const throwing_key two(2);
  const std::vector<std::function<void(map_type&)>> operations{
      [&](map_type& map) { map[two] = 2; },
      [&](map_type& map) { map.insert({two, 2}); },
      [&](map_type& map) { map.emplace(two, 2); },
      [&](map_type& map) { map.try_emplace(two, 2); },
      [&](map_type& map) { map.insert_or_assign(two, 2); },
      [&](map_type& map) { map.erase(one); },
      [&](map_type& map) { map.extract(one); },
      [&](map_type& map) { static_cast<void>(map.find(one)); },
      [&](map_type& map) { const map_type copy(map); },
      [&](map_type& map) { map = map_type(map); },
      [&](map_type& map) {
        map_type other;
        other = map;
      },
  };
  int thrown = 0;
  for (const auto& operation : operations) {
    map_type map;
    map.emplace(one, 1);
    for (int fuse = 1; fuse < 10; ++fuse) {
      throwing_key::fuse = fuse;
      try {
        operation(map);
      } catch (const std::runtime_error&) {
        ++thrown;
      }
      throwing_key::fuse = 0;
      static_cast<void>(map.size());  // would find a flag that was left set
      map.insert_or_assign(one, 1);
    }
  }
  EXPECT_GE(thrown, static_cast<int>(operations.size()));
  EXPECT_EQ(times_found(), found);
}

}  // namespace
