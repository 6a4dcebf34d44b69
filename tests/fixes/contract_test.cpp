// The contract of fixes/support/contract.hpp, held against the remedy that RACELAB_MAP_HEADER defines as lab_map.
// One program for each remedy and for each of: AddressSanitizer with UndefinedBehaviorSanitizer, ThreadSanitizer, the
// watchpoint runtime.
#include "fixes/support/contract.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <map>
#include <mutex>
#include <new>
#include <random>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#include RACELAB_MAP_HEADER
#include "repro/support/gate.hpp"
#include "tests/fixes/brittle.hpp"
#include "tests/fixes/stamped.hpp"

#ifdef RACELAB_FAILING_NEW
void* operator new(std::size_t size) {
  void* const block = brittle::fails(brittle::fault::allocation) ? nullptr : std::malloc(size);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}
// libstdc++ 14 has one of its own for this, which would not go with our delete.
void* operator new(std::size_t size, const std::nothrow_t& /*unused*/) noexcept {
  return brittle::fails(brittle::fault::allocation) ? nullptr : std::malloc(size);
}
void operator delete(void* block) noexcept { std::free(block); }
void operator delete(void* block, std::size_t) noexcept { std::free(block); }
#endif

namespace {

// ---- One thread: every result is std::unordered_map's.

template <class Made> Made numbered(int i) {
  if constexpr (std::is_same_v<Made, std::string>)
    return stamped::key(i);
  else
    return static_cast<Made>(i);
}

template <class Map> auto contents(const Map& map) {
  std::map<typename Map::key_type, typename Map::mapped_type> all;
  map.for_each([&](const auto& key, const auto& value) {
    EXPECT_TRUE(all.emplace(key, value).second) << "a key comes twice in a walk";
  });
  return all;
}

#ifndef RACELAB_WALK_ONE_IN
#define RACELAB_WALK_ONE_IN 1
#endif
/// Whether to walk or copy the map this time: of a remedy that takes very long for it, only now and then.
template <class Random> bool may_walk(Random& random) { return random() % RACELAB_WALK_ONE_IN == 0; }

/// A copy, of a remedy that can be copied; of another one the map itself.
template <class Map> decltype(auto) copied(const Map& map) {
  if constexpr (std::is_copy_constructible_v<Map>)
    return Map(map);
  else
    return map;
}

/// What the map counts; `otherwise` of a remedy that keeps no count.
template <class Map> std::size_t count_of(const Map& map, std::size_t otherwise) {
  if constexpr (racelab::sized_map<Map>)
    return map.size();
  else
    return otherwise;
}

template <class Key, class Value> void expect_random_operations_as_in_unordered_map(int keys) {
  using map_type = racelab::lab_map<Key, Value>;
  static_assert(racelab::concurrent_map<map_type>);
  for (const unsigned seed : {1U, 2U, 3U}) {
    SCOPED_TRACE("seed " + std::to_string(seed) + ", keys " + std::to_string(keys));
    std::minstd_rand random(seed);
    map_type map;
    std::unordered_map<Key, Value> model;
    for (int i = 0; i < 1500 && !testing::Test::HasFailure(); ++i) {
      SCOPED_TRACE("operation " + std::to_string(i));
      const auto key = numbered<Key>(static_cast<int>(random() % static_cast<unsigned>(keys)));
      const auto value = numbered<Value>(static_cast<int>(random() % 4));
      const auto at = model.find(key);
      const auto there = at == model.end() ? std::nullopt : std::optional<Value>(at->second);
      switch (random() % 16) {
        case 0:
        case 1:
        case 2:
          EXPECT_EQ(map.find(key), there);
          break;
        case 3:
        case 4:
        case 5:
          EXPECT_EQ(map.insert(key, value), model.emplace(key, value).second);
          break;
        case 6:
        case 7:
        case 8:
          map.insert_or_assign(key, value);
          model.insert_or_assign(key, value);
          break;
        case 9:
        case 10:
          EXPECT_EQ(map.erase(key), there);
          model.erase(key);
          break;
        case 11:
        case 12:
          EXPECT_EQ(map.erase_if_equal(key, value), there == value);
          if (there == value) model.erase(key);
          break;
        case 13:
          if (random() % 16 != 0) break;
          map.clear();
          model.clear();
          break;
        case 14: {
          if (!may_walk(random)) break;
          if constexpr (std::is_copy_constructible_v<map_type>) {
            const map_type copy(map);
            map.erase(key);  // a copy does not see it
            EXPECT_EQ(contents(copy), (std::map<Key, Value>(model.begin(), model.end())));
            model.erase(key);
          }
          break;
        }
        default:
          if (!may_walk(random)) break;
          EXPECT_EQ(contents(map), (std::map<Key, Value>(model.begin(), model.end())));
          EXPECT_EQ(count_of(map, model.size()), model.size());
      }
    }
  }
}

TEST(one_thread, has_the_results_of_unordered_map_on_numbers) {
  expect_random_operations_as_in_unordered_map<int, int>(8);
  expect_random_operations_as_in_unordered_map<int, int>(500);
}
TEST(one_thread, has_the_results_of_unordered_map_on_strings) {
  expect_random_operations_as_in_unordered_map<std::string, std::string>(40);
}
TEST(one_thread, has_the_results_of_unordered_map_from_numbers_to_strings) {
  expect_random_operations_as_in_unordered_map<std::uint64_t, std::string>(100);
}

// ---- Several threads. With one, the same tests show that they ask nothing wrong.

using string_map = racelab::lab_map<std::string, std::string>;

class concurrently : public testing::TestWithParam<int> {
 protected:
  static int threads() { return GetParam(); }
};
INSTANTIATE_TEST_SUITE_P(threads, concurrently, testing::Values(1, 4), testing::PrintToStringParamName());

constexpr int keys = 24;
constexpr int rounds = 60;

std::minstd_rand random_of(int thread) { return std::minstd_rand(static_cast<unsigned>(thread) + 1); }
int draw(std::minstd_rand& random, int below) {
  return static_cast<int>(random() % static_cast<unsigned>(below));
}

// Each value is given by one insertion only.
int unique_number(int thread, int i) { return thread * 1'000'000 + i; }

void expect_whole(const std::string& key, const std::optional<std::string>& value) {
  if (value) {
    EXPECT_TRUE(stamped::number(key, *value)) << key << " has the value " << *value;
  }
}

TEST_P(concurrently, every_value_that_is_seen_is_whole_and_its_keys) {
  string_map map;
  racelab::run_together(threads(), [&](int thread) {
    auto random = random_of(thread);
    for (int i = 0; i < 8 * rounds; ++i) {
      const auto key = stamped::key(draw(random, keys));
      switch (draw(random, 10)) {
        case 0:
        case 1:
          map.insert(key, stamped::value(key, unique_number(thread, i)));
          break;
        case 2:
        case 3:
          map.insert_or_assign(key, stamped::value(key, unique_number(thread, i)));
          break;
        case 4:
          expect_whole(key, map.erase(key));
          break;
        case 5:
          if (const auto seen = map.find(key)) map.erase_if_equal(key, *seen);
          break;
        case 6:
          if (!may_walk(random)) break;
          for (const auto& [each, value] : contents(map)) expect_whole(each, value);
          break;
        case 7:
          if (!may_walk(random)) break;
          for (const auto& [each, value] : contents(copied(map))) expect_whole(each, value);
          break;
        case 8:
          if (draw(random, 8) == 0) map.clear();
          break;
        default:
          expect_whole(key, map.find(key));
      }
    }
  });
  for (const auto& [key, value] : contents(map)) expect_whole(key, value);
}

TEST_P(concurrently, a_threads_own_keys_have_exact_results) {
  string_map map;
  std::vector<std::map<std::string, std::string>> models(static_cast<std::size_t>(threads()));
  racelab::run_together(threads(), [&](int thread) {
    auto& model = models[static_cast<std::size_t>(thread)];
    auto random = random_of(thread);
    for (int i = 0; i < 8 * rounds; ++i) {
      const auto key = stamped::key(draw(random, keys) * threads() + thread);
      const auto value = stamped::value(key, draw(random, 3));
      const auto at = model.find(key);
      const auto there = at == model.end() ? std::nullopt : std::optional(at->second);
      switch (draw(random, 5)) {
        case 0:
          EXPECT_EQ(map.insert(key, value), model.emplace(key, value).second);
          break;
        case 1:
          map.insert_or_assign(key, value);
          model.insert_or_assign(key, value);
          break;
        case 2:
          EXPECT_EQ(map.erase(key), there);
          model.erase(key);
          break;
        case 3:
          EXPECT_EQ(map.erase_if_equal(key, value), there == value);
          if (there == value) model.erase(key);
          break;
        default:
          EXPECT_EQ(map.find(key), there);
      }
    }
  });
  std::map<std::string, std::string> all;
  for (const auto& model : models) all.insert(model.begin(), model.end());
  EXPECT_EQ(contents(map), all);
  EXPECT_EQ(count_of(map, all.size()), all.size());
}

TEST_P(concurrently, erase_gives_each_value_to_one_thread) {
  for (int round = 0; round < rounds / 10; ++round) {
    string_map map;
    for (int i = 0; i < keys; ++i) map.insert(stamped::key(i), stamped::value(stamped::key(i), round));
    std::vector<std::vector<std::string>> erased(static_cast<std::size_t>(threads()));
    racelab::run_together(threads(), [&](int thread) {
      for (int i = 0; i < keys; ++i)
        if (auto value = map.erase(stamped::key(i)))
          erased[static_cast<std::size_t>(thread)].push_back(*std::move(value));
    });
    std::vector<std::string> all;
    for (const auto& each : erased) all.insert(all.end(), each.begin(), each.end());
    std::vector<std::string> expected;
    for (int i = 0; i < keys; ++i) expected.push_back(stamped::value(stamped::key(i), round));
    std::ranges::sort(all);
    std::ranges::sort(expected);
    EXPECT_EQ(all, expected);
    EXPECT_TRUE(contents(map).empty());
  }
}

TEST_P(concurrently, insert_has_one_winner_and_keeps_its_value) {
  for (int round = 0; round < rounds / 10; ++round) {
    string_map map;
    std::vector<std::vector<int>> won(static_cast<std::size_t>(threads()));
    racelab::run_together(threads(), [&](int thread) {
      for (int i = 0; i < keys; ++i)
        if (map.insert(stamped::key(i), stamped::value(stamped::key(i), thread)))
          won[static_cast<std::size_t>(thread)].push_back(i);
    });
    std::map<std::string, std::string> winners;
    for (int thread = 0; thread < threads(); ++thread)
      for (const int i : won[static_cast<std::size_t>(thread)])
        EXPECT_TRUE(winners.emplace(stamped::key(i), stamped::value(stamped::key(i), thread)).second)
            << "two inserts of key " << i << " say that it was not there";
    EXPECT_EQ(winners.size(), std::size_t{keys});
    EXPECT_EQ(contents(map), winners);
  }
}

// Whoever sees a value asks for its removal: each value that was ever inserted is removed once, or still there.
TEST_P(concurrently, erase_if_equal_removes_what_it_names_and_nothing_else) {
  string_map map;
  constexpr int contended = 3;
  std::vector<std::vector<std::string>> inserted(static_cast<std::size_t>(threads()));
  auto removed = inserted;
  racelab::run_together(threads(), [&](int thread) {
    const auto own = static_cast<std::size_t>(thread);
    for (int i = 0; i < 8 * rounds; ++i) {
      const auto key = stamped::key(i % contended);
      const auto value = stamped::value(key, unique_number(thread, i));
      EXPECT_FALSE(map.erase_if_equal(key, value)) << "a value that was never there";
      if (map.insert(key, value)) inserted[own].push_back(value);
      if (const auto seen = map.find(key); seen && map.erase_if_equal(key, *seen))
        removed[own].push_back(*seen);
    }
  });
  std::vector<std::string> all_inserted;
  std::vector<std::string> all_left;
  for (const auto& each : inserted) all_inserted.insert(all_inserted.end(), each.begin(), each.end());
  for (const auto& each : removed) all_left.insert(all_left.end(), each.begin(), each.end());
  for (const auto& [key, value] : contents(map)) all_left.push_back(value);
  std::ranges::sort(all_inserted);
  std::ranges::sort(all_left);
  EXPECT_EQ(all_left, all_inserted);
}

TEST_P(concurrently, a_walk_or_copy_shows_no_key_twice_and_every_key_that_stays) {
  string_map map;
  for (int i = 0; i < keys; ++i) map.insert(stamped::key(i), stamped::value(stamped::key(i), 0));
  const auto expect_those_that_stay = [](const string_map& seen) {
    const auto all = contents(seen);
    for (int i = 0; i < keys; ++i) EXPECT_TRUE(all.contains(stamped::key(i))) << stamped::key(i);
  };
  const auto most = std::size_t{keys} + 4 * static_cast<std::size_t>(threads());
  racelab::run_together(threads(), [&](int thread) {
    for (int round = 0; round < rounds; ++round) {
      const auto coming = stamped::key(keys + 4 * thread + round % 4);
      if (!map.insert(coming, stamped::value(coming, round))) map.erase(coming);
      const auto staying = stamped::key(round % keys);
      map.insert_or_assign(staying, stamped::value(staying, round));
      if (RACELAB_WALK_ONE_IN != 1 && round % 15 != 3) continue;
      if (round % 4 == 3)
        expect_those_that_stay(copied(map));
      else
        expect_those_that_stay(map);
      const std::size_t count = count_of(map, keys);
      EXPECT_GE(count, std::size_t{keys});
      EXPECT_LE(count, most);
    }
  });
}

TEST_P(concurrently, what_was_there_before_a_clear_is_gone_after_it) {
  string_map map;
  racelab::run_together(threads(), [&](int thread) {
    for (int round = 0; round < rounds; ++round) {
      const auto own = stamped::key(thread * 4 + round % 4);
      map.insert(own, stamped::value(own, round));
      map.clear();
      EXPECT_EQ(map.find(own), std::nullopt);
    }
  });
  EXPECT_TRUE(contents(map).empty());
}

// A thread writes ascending numbers under its own key, and never sees another's descend: neither through find() nor
// from one walk to the next.
TEST_P(concurrently, nobody_sees_time_go_backwards) {
  string_map map;
  racelab::run_together(threads(), [&](int thread) {
    std::map<std::string, int> last;
    const auto expect_no_step_back = [&](const std::string& key, const std::string& value) {
      const int now = stamped::number(key, value).value_or(-1);
      int& before = last[key];
      EXPECT_GE(now, before) << key;
      before = now;
    };
    const auto own = stamped::key(thread);
    for (int round = 0; round < 2 * rounds; ++round) {
      map.insert_or_assign(own, stamped::value(own, round));
      if (round % 8 == 7)
        map.for_each(expect_no_step_back);
      else if (const auto value = map.find(stamped::key(round % threads())))
        expect_no_step_back(stamped::key(round % threads()), *value);
    }
    EXPECT_EQ(map.find(own), stamped::value(own, 2 * rounds - 1));
  });
}

// ---- Exceptions

using brittle::fault;
using brittle_map = racelab::lab_map<brittle::number, brittle::number>;

constexpr int brittle_entries = 20;

std::map<int, int> numbers_in(const brittle_map& map) {
  std::map<int, int> all;
  map.for_each([&](const brittle::number& key, const brittle::number& value) {
    EXPECT_TRUE(all.emplace(key.get(), value.get()).second);
  });
  return all;
}

void fill(brittle_map& map) {
  for (int i = 0; i < brittle_entries; ++i) map.insert(brittle::number(i), brittle::number(10 * i));
}

struct operation {
  const char* name;
  std::function<void(brittle_map&)> call;
  bool may_be_half_done = false;
};

const std::vector<operation>& operations() {
  const auto n = [](int i) { return brittle::number(i); };
  static const std::vector<operation> all = {
      {"find a key", [=](brittle_map& map) { static_cast<void>(map.find(n(3))); }},
      {"find no key", [=](brittle_map& map) { static_cast<void>(map.find(n(99))); }},
      {"insert a new key", [=](brittle_map& map) { map.insert(n(99), n(1)); }},
      {"insert a key that is there", [=](brittle_map& map) { map.insert(n(3), n(1)); }},
      {"assign to a new key", [=](brittle_map& map) { map.insert_or_assign(n(99), n(1)); }},
      {"assign to a key that is there", [=](brittle_map& map) { map.insert_or_assign(n(3), n(1)); }},
      {"erase a key", [=](brittle_map& map) { map.erase(n(3)); }},
      {"erase no key", [=](brittle_map& map) { map.erase(n(99)); }},
      {"erase a key with its value", [=](brittle_map& map) { map.erase_if_equal(n(3), n(30)); }},
      {"erase a key with another value", [=](brittle_map& map) { map.erase_if_equal(n(3), n(31)); }},
      {"walk",
       [](brittle_map& map) {
         map.for_each([](const brittle::number&, const brittle::number&) { brittle::step(fault::visit); });
       }},
      {"copy the map", [](brittle_map& map) { static_cast<void>(copied(map)); }},
      {"clear", [](brittle_map& map) { map.clear(); }, true},
  };
  return all;
}

/// Calls `what` on a full map again and again, each time failing one step later, until nothing fails. Returns how many
/// times it threw.
int throws_of(const operation& what, fault which) {
  brittle_map map;
  fill(map);
  const auto before = numbers_in(map);
  int thrown = 0;
  for (bool done = false; !done && !testing::Test::HasFailure();) {
    SCOPED_TRACE(std::string(what.name) + ", failing after " + std::to_string(thrown) + " good steps");
    brittle::arm(which, thrown);
    try {
      what.call(map);
      done = true;
    } catch (const brittle::injected&) {
      ++thrown;
    } catch (const std::bad_alloc&) {
      ++thrown;
    }
    brittle::disarm();
    if (done) break;
    if (what.may_be_half_done) fill(map);
    EXPECT_EQ(numbers_in(map), before);
    EXPECT_TRUE(map.insert(brittle::number(1000), brittle::number(0)));  // and no lock is left behind
    EXPECT_TRUE(map.erase(brittle::number(1000)).has_value());
    for (const auto& [key, value] : before) {
      const auto found = map.find(brittle::number(key));
      EXPECT_TRUE(found.has_value() && found->get() == value) << key;
    }
  }
  return thrown;
}

void expect_the_map_as_it_was_after(fault which) {
  if (const char* const why = racelab::weaker_exceptions<brittle_map>()) GTEST_SKIP() << why;
  const int alive = brittle::number::alive();
  int thrown = 0;
  for (const operation& each : operations()) thrown += throws_of(each, which);
  EXPECT_GT(thrown, 0) << "nothing failed: this test proves nothing";
  EXPECT_EQ(brittle::number::alive(), alive);
}

TEST(exceptions, from_a_copy_leave_the_map_as_it_was) { expect_the_map_as_it_was_after(fault::copy); }
TEST(exceptions, from_equality_leave_the_map_as_it_was) { expect_the_map_as_it_was_after(fault::equal); }
TEST(exceptions, from_the_hash_leave_the_map_as_it_was) { expect_the_map_as_it_was_after(fault::hash); }
TEST(exceptions, from_a_visitor_leave_the_map_as_it_was) { expect_the_map_as_it_was_after(fault::visit); }
#ifdef RACELAB_FAILING_NEW
TEST(exceptions, from_the_allocator_leave_the_map_as_it_was) {
  expect_the_map_as_it_was_after(fault::allocation);
}
#endif

// ---- Lifetimes

TEST_P(concurrently, nothing_is_left_of_a_map_after_its_end) {
  const int alive = brittle::number::alive();
  {
    brittle_map map;
    racelab::run_together(threads(), [&](int thread) {
      auto random = random_of(thread);
      for (int i = 0; i < 4 * rounds; ++i) {
        const brittle::number key(draw(random, keys));
        if (draw(random, 2) == 0)
          map.insert_or_assign(key, brittle::number(i));
        else
          map.erase(key);
        static_cast<void>(map.find(key));
      }
    });
    EXPECT_GE(brittle::number::alive(), alive + 2 * static_cast<int>(numbers_in(map).size()));
  }
  EXPECT_EQ(brittle::number::alive(), alive);
}

}  // namespace
