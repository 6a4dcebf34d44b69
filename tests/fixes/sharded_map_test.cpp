// What is special to sharded_map: shards that are split while they are used.
#include "fixes/sharded_map.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <limits>
#include <numeric>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "fixes/support/contract.hpp"
#include "repro/support/gate.hpp"
#include "tests/fixes/random_operations.hpp"
#include "tests/fixes/watched_value.hpp"

namespace {

using namespace std::chrono_literals;
using racelab::copy_hook;
using racelab::run_together;
using racelab::sharded_map;
using racelab::watched_value;

static_assert(racelab::sized_map<sharded_map<int, watched_value>>);
static_assert(racelab::sized_map<sharded_map<std::string, std::string>>);

constexpr double never = std::numeric_limits<double>::infinity();

using slow_map = sharded_map<int, watched_value>;
using map_of_numbers = sharded_map<int, int>;

std::uint64_t low_bits(int key, unsigned bits) {
  return racelab::mixed_hash(std::hash<int>()(key)) & ((std::uint64_t{1} << bits) - 1);
}

/// The first `count` keys from `first` up whose mixed hash ends in `path`.
std::vector<int> keys_in(std::uint64_t path, unsigned bits, std::size_t count, int first = 0) {
  std::vector<int> keys;
  for (int key = first; keys.size() < count; ++key)
    if (low_bits(key, bits) == path) keys.push_back(key);
  return keys;
}

/// A key in each of the four parts that shard `path` would be split into.
std::vector<int> one_key_in_each_part(std::uint64_t path, unsigned bits) {
  std::vector<int> keys;
  for (std::uint64_t part = 0; part < 4; ++part)
    keys.push_back(keys_in(path | (part << bits), bits + 2, 1).front());
  return keys;
}

template <class Map> void look_up(const Map& map, int key, int times) {
  for (int i = 0; i < times; ++i) static_cast<void>(map.find(key));
}

template <class Map> std::size_t splits_of(const Map& map) {
  std::size_t splits = 0;
  for (const auto& shard : map.statistics()) splits += shard.splits > 0 ? 1 : 0;
  return splits;
}

template <class Map> std::uint64_t waits_of(const Map& map) {
  std::uint64_t waits = 0;
  for (const auto& shard : map.statistics()) waits += shard.waits;
  return waits;
}

template <class Map> auto leaves_of(const Map& map) {
  auto records = map.statistics();
  std::erase_if(records, [](const auto& shard) { return shard.splits > 0; });
  return records;
}

template <class Map> auto leaf_of(const Map& map, int key) {
  for (const auto& leaf : leaves_of(map))
    if (low_bits(key, leaf.bits) == leaf.path) return leaf;
  throw std::logic_error("no leaf has this key");
}

/// Each key can be found, and is counted in the leaf that its hash leads to, and only there.
void expect_in_place(const map_of_numbers& map) {
  const auto contents = racelab::contents_of(map);
  for (const auto& leaf : leaves_of(map)) {
    const auto here = std::ranges::count_if(
        contents, [&](const auto& entry) { return low_bits(entry.first, leaf.bits) == leaf.path; });
    EXPECT_EQ(leaf.keys, static_cast<std::size_t>(here)) << leaf.path << "/" << leaf.bits;
  }
  for (const auto& [key, value] : contents) EXPECT_EQ(map.find(key), value);
  EXPECT_EQ(map.size(), contents.size());
}

// Splits whatever is used.
const map_of_numbers::options eager{.shard_bits = 1, .hot_share = 0.01, .window = 400};

TEST(sharded_map, the_mixing_function_is_splitmix64s) {
  // The first outputs of SplitMix64 from seed 0: the state grows by the golden gamma and is then mixed.
  EXPECT_EQ(racelab::mixed_hash(0x9e37'79b9'7f4a'7c15), 0xe220'a839'7b1d'cdaf);
  EXPECT_EQ(racelab::mixed_hash(2 * 0x9e37'79b9'7f4a'7c15), 0x6e78'9e6a'a1b9'65f4);
}

TEST(sharded_map, answers_as_unordered_map_does_while_it_splits) {
  for (unsigned seed = 1; seed <= 4; ++seed) {
    SCOPED_TRACE(seed);
    map_of_numbers map(eager);
    const auto model = racelab::random_operations(map, seed, 20'000, [&](const racelab::map_model& expected) {
      EXPECT_EQ(racelab::contents_of(map), expected);
      const map_of_numbers copy(map);
      EXPECT_EQ(racelab::contents_of(copy), expected);
      EXPECT_EQ(copy.statistics().size(), 2U) << "a copy begins unsplit";
    });
    EXPECT_EQ(racelab::contents_of(map), model);
    expect_in_place(map);
    EXPECT_GT(splits_of(map), 3U);
  }
}

TEST(sharded_map, refuses_options_that_make_no_map) {
  EXPECT_THROW(map_of_numbers({.shard_bits = 7, .most_shards = 64}), std::invalid_argument);
  EXPECT_THROW(map_of_numbers({.shard_bits = 64}), std::invalid_argument);
  EXPECT_THROW(map_of_numbers({.window = 0}), std::invalid_argument);
  EXPECT_NO_THROW(map_of_numbers({.shard_bits = 0, .most_shards = 1}));
}

// ---- Which shard is hot

// Of 20'000 operations `percent` in a hundred go to the first of 16 shards, the others to all the rest alike.
void heat(map_of_numbers& map, std::size_t percent) {
  std::vector<std::vector<int>> keys;
  for (std::uint64_t path = 0; path < 16; ++path) {
    keys.push_back(keys_in(path, 4, 16));
    for (const int key : keys.back()) map.insert(key, key);
  }
  for (std::size_t i = 0; i < 20'000; ++i) {
    const bool hot = i * 37 % 100 < percent;
    look_up(map, keys[hot ? 0 : 1 + i % 15][i % 16], 1);
  }
}

std::size_t splits_at(std::size_t percent, const map_of_numbers::options& options) {
  map_of_numbers map(options);
  heat(map, percent);
  return splits_of(map);
}

TEST(sharded_map, a_shard_with_35_percent_of_the_operations_is_split_and_no_other) {
  map_of_numbers map;
  heat(map, 36);
  for (const auto& shard : map.statistics()) {
    EXPECT_EQ(shard.splits, shard.path == 0 && shard.bits == 4 ? 1U : 0U) << shard.path << "/" << shard.bits;
    EXPECT_EQ(shard.keys > 0, shard.splits == 0);
  }
  expect_in_place(map);
  EXPECT_EQ(map.size(), 256U);
}

TEST(sharded_map, the_share_and_the_window_can_be_set) {
  EXPECT_EQ(splits_at(34, {}), 0U);
  EXPECT_GT(splits_at(36, {}), 0U);
  EXPECT_GT(splits_at(30, {.hot_share = 0.25}), 0U);
  EXPECT_EQ(splits_at(60, {.hot_share = 0.75}), 0U);
  EXPECT_EQ(splits_at(100, {.window = 100'000}), 0U) << "so many operations there were not";
  EXPECT_EQ(splits_at(100, {.hot_share = never}), 0U);
}

TEST(sharded_map, an_operation_earlier_or_later_decides) {
  const auto hot = keys_in(0, 1, 4);
  const int cold = keys_in(1, 1, 1).front();
  for (const int cold_operations : {50, 51}) {
    map_of_numbers map({.shard_bits = 1, .hot_share = 0.5, .window = 100});
    look_up(map, cold, cold_operations);
    for (int i = 0; i < 4; ++i) map.insert(hot[static_cast<std::size_t>(i)], i);
    look_up(map, hot[0], 45);
    EXPECT_EQ(splits_of(map), 0U);
    look_up(map, hot[0], 1);  // the fiftieth
    EXPECT_EQ(splits_of(map), cold_operations == 50 ? 1U : 0U);
  }
}

TEST(sharded_map, what_was_hot_long_ago_is_not_recent) {
  map_of_numbers map({.shard_bits = 1, .hot_share = 0.9, .window = 100});
  const auto keys = keys_in(0, 1, 4);
  const int other = keys_in(1, 1, 1).front();
  for (const int key : keys) map.insert(key, key);
  for (int round = 0; round < 20; ++round) {
    look_up(map, keys[0], 80);
    look_up(map, other, 80);
  }
  EXPECT_EQ(splits_of(map), 0U);
  look_up(map, keys[0], 180);
  EXPECT_GT(splits_of(map), 0U);
}

// ---- Splits

TEST(sharded_map, splits_nest_as_far_as_keys_differ) {
  map_of_numbers map({.shard_bits = 2, .hot_share = 0.5, .window = 10});
  const auto alike = keys_in(0b10'11'01'10, 8, 2);  // apart from each other only by their bits from 8 up
  map.insert(alike[0], 1);
  map.insert(alike[1], 2);
  look_up(map, alike[0], 200);
  const auto records = map.statistics();
  const auto& top =
      *std::ranges::find_if(records, [](const auto& shard) { return shard.path == 0b10 && shard.bits == 2; });
  EXPECT_GE(top.splits, 4U);
  EXPECT_GE(leaf_of(map, alike[0]).bits, 10U);
  EXPECT_EQ(leaf_of(map, alike[0]).keys, 1U);
  for (const unsigned bits : {4U, 6U, 8U})
    EXPECT_EQ(std::ranges::count_if(
                  records, [&](const auto& shard) { return shard.bits == bits && shard.splits > 0; }),
              1);
  expect_in_place(map);
}

struct same_hash {
  std::size_t operator()(int) const { return 42; }
};

TEST(sharded_map, keys_that_collide_in_every_bit_end_the_splits) {
  sharded_map<int, int, same_hash> map({.hot_share = 0.5, .window = 4, .most_shards = 1000});
  for (int key = 0; key < 200; ++key) map.insert(key, key);
  EXPECT_EQ(splits_of(map), 30U) << "4 of 64 bits chose the shard, then two each";
  for (int key = 0; key < 200; ++key) EXPECT_EQ(map.find(key), key);
  EXPECT_EQ(map.size(), 200U);
}

TEST(sharded_map, there_are_never_more_shards_than_allowed) {
  map_of_numbers map({.shard_bits = 2, .hot_share = 0.01, .window = 100, .most_shards = 12});
  run_together(4, [&](int thread) {
    for (int i = 0; i < 2000; ++i) map.insert(4 * i + thread, i);
  });
  EXPECT_EQ(leaves_of(map).size(), 10U) << "four, and twice three more";
  expect_in_place(map);
}

TEST(sharded_map, other_shards_go_on_while_one_is_split) {
  slow_map map({.shard_bits = 1, .hot_share = 0.5, .window = 100});
  const auto hot = keys_in(0, 1, 8);
  const auto others = keys_in(1, 1, 8);
  for (const int key : hot) map.insert(key, watched_value(key));

  std::atomic<bool> splitting = false;
  std::atomic<bool> finish = false;
  const copy_hook hook([&](int number) {
    if (number != hot[0]) return;
    splitting = true;
    while (!finish) std::this_thread::yield();
  });
  const int absent = keys_in(0, 1, 1, 1000).front();
  std::thread splitter([&] { look_up(map, absent, 50 - 8); });  // no value is copied but by the split
  while (!splitting) std::this_thread::yield();
  for (const int key : others) {
    EXPECT_TRUE(map.insert(key, watched_value(key)));
    EXPECT_EQ(map.find(key), watched_value(key));
    EXPECT_TRUE(map.erase(key).has_value());
  }
  EXPECT_TRUE(splitting && !finish);
  finish = true;
  splitter.join();
  EXPECT_EQ(map.statistics().front().splits, 1U);
  for (const int key : hot) EXPECT_EQ(map.find(key), watched_value(key));
}

TEST(sharded_map, a_copy_that_throws_in_a_split_leaves_all_as_it_was) {
  const int alive = watched_value::alive();
  {
    // Room for one split: what failed must not be counted.
    slow_map map({.shard_bits = 1, .hot_share = 0.5, .window = 100, .most_shards = 5});
    const auto keys = keys_in(0, 1, 10);
    const int absent = keys_in(0, 1, 1, 1000).front();
    for (const int key : keys) map.insert(key, watched_value(key));
    int copies = 0;
    {
      const copy_hook hook([&](int) {
        if (++copies % 7 == 0) throw std::runtime_error("the seventh copy");
      });
      for (int i = 0; i < 195; ++i)
        EXPECT_EQ(map.find(absent), std::nullopt) << "does not throw: it was answered";
    }
    EXPECT_GE(copies, 3 * 7) << "it was tried each time that the shard was judged";
    EXPECT_EQ(splits_of(map), 0U);
    EXPECT_EQ(watched_value::alive(), alive + 10);
    for (const int key : keys) EXPECT_EQ(map.find(key), watched_value(key));
    look_up(map, absent, 100);
    EXPECT_EQ(splits_of(map), 1U) << "and it is tried again";
    EXPECT_EQ(watched_value::alive(), alive + 10);
    for (const int key : keys) EXPECT_EQ(map.find(key), watched_value(key));
  }
  EXPECT_EQ(watched_value::alive(), alive);
}

struct moody_hash {
  static inline int calls_left = -1;  // throws at 0
  std::size_t operator()(int key) const {
    if (calls_left == 0) throw std::runtime_error("hash");
    if (calls_left > 0) --calls_left;
    return std::hash<int>()(key);
  }
};

TEST(sharded_map, a_hash_that_throws_in_a_split_leaves_all_as_it_was) {
  sharded_map<int, int, moody_hash> map({.shard_bits = 0, .hot_share = 0.5, .window = 40});
  for (int key = 0; key < 19; ++key) map.insert(key, key);
  moody_hash::calls_left = 2 + 7;  // the find takes two, the split fails at the eighth
  EXPECT_EQ(map.find(3), 3);
  EXPECT_EQ(moody_hash::calls_left, 0) << "the split was tried";
  moody_hash::calls_left = -1;
  EXPECT_EQ(splits_of(map), 0U);
  for (int key = 0; key < 19; ++key) EXPECT_EQ(map.find(key), key);
  EXPECT_EQ(map.find(3), 3);
  EXPECT_EQ(splits_of(map), 1U) << "twenty operations later";
  for (int key = 0; key < 19; ++key) EXPECT_EQ(map.find(key), key);
}

// ---- Waits

void print(const char* what, std::uint64_t operations, std::uint64_t waits, std::chrono::nanoseconds total) {
  std::printf("[          ] %s: %llu of %llu operations waited, %.3f ms for each operation\n", what,
              static_cast<unsigned long long>(waits), static_cast<unsigned long long>(operations),
              static_cast<double>(total.count()) / 1e6 / static_cast<double>(operations));
}

// The copy of a value takes this long, under the shard's lock.
const auto slow_copy = [](int) { std::this_thread::sleep_for(500us); };

TEST(sharded_map, a_split_ends_the_waits_of_keys_that_shared_a_shard) {
  slow_map map({.hot_share = never, .long_wait = 50us, .waits_judged = 40});
  const auto keys = one_key_in_each_part(3, 4);
  for (const int key : keys) map.insert(key, watched_value(key));
  const copy_hook hook(slow_copy);
  const auto round = [&] {
    run_together(4, [&](int thread) { look_up(map, keys[static_cast<std::size_t>(thread)], 50); });
  };
  while (splits_of(map) == 0) round();

  const auto records = map.statistics();
  const auto& whole = *std::ranges::find_if(records, [](const auto& shard) { return shard.splits > 0; });
  EXPECT_EQ(whole.path, 3U);
  EXPECT_GE(whole.waits, 40U);
  EXPECT_GT(whole.mean_wait(), 50us);
  print("before the split", whole.operations, whole.waits, whole.total_wait);

  round();
  std::uint64_t operations = 0;
  for (const int key : keys) {
    const auto leaf = leaf_of(map, key);
    EXPECT_EQ(leaf.bits, 6U);
    EXPECT_EQ(leaf.waits, 0U) << "each thread has a lock of its own now";
    operations += leaf.operations;
  }
  EXPECT_GE(operations, 200U);
  print("after the split ", operations, 0, 0ns);
}

TEST(sharded_map, one_hot_key_gains_nothing_by_splits) {
  slow_map map({.hot_share = never, .long_wait = 50us, .waits_judged = 20});
  const auto keys = one_key_in_each_part(3, 4);
  for (const int key : keys) map.insert(key, watched_value(key));
  const copy_hook hook(slow_copy);
  const auto round = [&] { run_together(4, [&](int) { look_up(map, keys[0], 50); }); };
  while (splits_of(map) == 0) round();
  round();

  const auto records = map.statistics();
  const auto& whole = *std::ranges::find_if(records, [](const auto& shard) { return shard.splits > 0; });
  const auto leaf = leaf_of(map, keys[0]);
  print("before the split", whole.operations, whole.waits, whole.total_wait);
  print("after the split ", leaf.operations, leaf.waits, leaf.total_wait);
  EXPECT_EQ(splits_of(map), 1U) << "a key that is alone is not split further";
  EXPECT_EQ(leaf.keys, 1U);
  // How many had to wait depends on how fair the mutex is; how long, all in all, does not.
  const auto wait = [](const auto& shard) {
    return static_cast<double>(shard.total_wait.count()) / static_cast<double>(shard.operations);
  };
  EXPECT_GT(wait(leaf), wait(whole) / 4);
}

TEST(sharded_map, the_wait_that_is_long_can_be_set) {
  for (const auto long_wait : {std::chrono::nanoseconds(50us), std::chrono::nanoseconds(1h)}) {
    slow_map map({.shard_bits = 0, .hot_share = never, .long_wait = long_wait, .waits_judged = 10});
    map.insert(1, watched_value(1));
    map.insert(2, watched_value(2));
    const copy_hook hook(slow_copy);
    while (waits_of(map) < 60) run_together(4, [&](int thread) { look_up(map, thread == 0 ? 2 : 1, 20); });
    EXPECT_EQ(splits_of(map) > 0, long_wait < 1s);
  }
}

// ---- Threads

TEST(sharded_map, every_key_is_kept_while_shards_are_split) {
  constexpr int stable = 500;
  constexpr int writers = 3;
  map_of_numbers map({.shard_bits = 1, .hot_share = 0.02, .window = 2000});
  for (int key = 0; key < stable; ++key) map.insert(key, -key);

  // Writer w's keys, each with a value that tells them: erased at once if odd, else kept.
  const auto key_of = [](int writer, int i) { return stable + writers * i + writer; };
  std::atomic<int> wrong = 0;
  std::atomic<int> writing = writers;
  const auto write = [&](int writer) {
    for (int i = 0; i < 3000; ++i) {
      const int key = key_of(writer, i);
      if (!map.insert(key, -key)) ++wrong;
      map.insert_or_assign(key, -key);
      if (map.find(key) != -key) ++wrong;
      if (i % 2 == 1 && map.erase(key) != -key) ++wrong;
      if (i % 2 == 1 && map.erase_if_equal(key, -key)) ++wrong;
    }
    --writing;
  };
  const auto read = [&] {
    for (int i = 0; writing > 0; ++i)
      if (map.find(i % stable) != -(i % stable)) ++wrong;
  };
  const auto walk = [&] {
    while (writing > 0) {
      std::set<int> seen;
      int stable_seen = 0;
      map.for_each([&](int key, int value) {
        if (value != -key || !seen.insert(key).second) ++wrong;
        if (key < stable) ++stable_seen;
      });
      if (stable_seen != stable) ++wrong;
    }
  };
  run_together([&] { write(0); }, [&] { write(1); }, [&] { write(2); }, read, walk);

  EXPECT_EQ(wrong, 0);
  EXPECT_GT(splits_of(map), 5U);
  EXPECT_EQ(map.size(), static_cast<std::size_t>(stable + writers * 1500));
  for (int writer = 0; writer < writers; ++writer)
    for (int i = 0; i < 3000; ++i) {
      const int key = key_of(writer, i);
      EXPECT_EQ(map.find(key), i % 2 == 1 ? std::nullopt : std::optional(-key));
    }
  expect_in_place(map);
}

TEST(sharded_map, a_copy_and_the_size_are_of_one_moment) {
  map_of_numbers map({.shard_bits = 1, .hot_share = 0.02, .window = 2000});
  constexpr int last = 5000;
  map.insert(0, 0);
  std::atomic<bool> writing = true;
  int wrong = 0;
  run_together(
      [&] {  // one key stays, or two: the next comes before the last goes
        for (int i = 1; i <= last; ++i) {
          map.insert(i, i);
          map.erase(i - 1);
        }
        writing = false;
      },
      [&] {
        while (writing) {
          const auto contents = racelab::contents_of(map_of_numbers(map));
          const auto size = map.size();
          if (contents.empty() || contents.size() > 2 || size < 1 || size > 2) ++wrong;
          for (const auto& [key, value] : contents)
            if (contents.size() == 2 && !contents.contains(key + 1) && !contents.contains(key - 1)) ++wrong;
        }
      });
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(racelab::contents_of(map), (racelab::map_model{{last, last}}));
}

TEST(sharded_map, a_copy_holds_all_shards_until_it_is_done) {
  slow_map map({.shard_bits = 1});
  const int first = keys_in(0, 1, 1).front();
  const int last = keys_in(1, 1, 1).front();
  map.insert(first, watched_value(first));
  map.insert(last, watched_value(last));
  std::atomic<bool> copying = false;
  std::atomic<bool> erased = false;
  const copy_hook hook([&](int number) {
    if (number != first) return;
    copying = true;
    const auto chance_to_come_between = std::chrono::steady_clock::now() + 50ms;
    while (!erased && std::chrono::steady_clock::now() < chance_to_come_between) std::this_thread::yield();
  });
  std::thread eraser([&] {
    while (!copying) std::this_thread::yield();
    map.erase(last);
    erased = true;
  });
  const slow_map copy(map);
  eraser.join();
  EXPECT_TRUE(copying);
  EXPECT_EQ(copy.find(last), watched_value(last));
  EXPECT_EQ(map.find(last), std::nullopt);
}

TEST(sharded_map, clear_removes_what_was_there_while_shards_are_split) {
  map_of_numbers map({.shard_bits = 1, .hot_share = 0.02, .window = 500});
  constexpr int old_keys = 1000;
  for (int key = 0; key < old_keys; ++key) map.insert(key, key);
  std::atomic<bool> cleared = false;
  run_together(
      [&] {
        map.clear();
        for (int key = 0; key < old_keys; ++key) EXPECT_EQ(map.find(key), std::nullopt);
        cleared = true;
      },
      [&] {
        for (int i = 0; !cleared; ++i) map.insert_or_assign(old_keys + i % 5000, i);
      });
  expect_in_place(map);
}

TEST(sharded_map, statistics_add_up) {
  map_of_numbers map({.shard_bits = 1, .hot_share = 0.02, .window = 2000});
  constexpr int threads = 4;
  constexpr int rounds = 2000;
  run_together(threads, [&](int thread) {
    for (int i = 0; i < rounds; ++i) {
      const int key = thread * rounds + i;
      map.insert(key, 1);
      static_cast<void>(map.find(key));
      map.insert_or_assign(key, 2);
      map.erase_if_equal(key, 3);
      if (i % 4 == 0) map.erase(key);
    }
  });
  map.for_each([](int, int) {});  // no operation on a key
  const auto size = map.size();
  const auto records = map.statistics();
  std::uint64_t operations = 0;
  std::size_t keys = 0;
  std::size_t inner = 0;
  std::size_t splits = 0;
  for (const auto& shard : records) {
    operations += shard.operations;
    keys += shard.keys;
    inner += shard.splits > 0 ? 1 : 0;
    if (shard.bits == 1) splits += shard.splits;
    EXPECT_EQ(shard.waits == 0, shard.total_wait == 0ns);
    EXPECT_LE(shard.mean_wait(), shard.total_wait);
    EXPECT_LT(shard.path, std::uint64_t{1} << shard.bits);
    EXPECT_TRUE(shard.splits == 0 || shard.keys == 0);
  }
  EXPECT_EQ(operations, static_cast<std::uint64_t>(threads * (4 * rounds + rounds / 4)));
  EXPECT_EQ(keys, size);
  EXPECT_EQ(size, static_cast<std::size_t>(threads * rounds * 3 / 4));
  EXPECT_GT(inner, 0U);
  EXPECT_EQ(splits, inner) << "each split is counted in its shard and in those above it";
  EXPECT_EQ(records.size(), 2 + 4 * inner);
}

}  // namespace
