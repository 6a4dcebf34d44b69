// What is special to tombstone_map: readers that follow it, and what becomes of its tombstones.
#include "fixes/tombstone_map.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "fixes/support/contract.hpp"
#include "repro/support/gate.hpp"
#include "tests/fixes/random_operations.hpp"
#include "tests/fixes/watched_value.hpp"

namespace {

using racelab::copy_hook;
using racelab::map_model;
using racelab::pull_result;
using racelab::run_together;
using racelab::tombstone_map;
using racelab::watched_value;

static_assert(racelab::sized_map<tombstone_map<int, watched_value>>);
static_assert(racelab::sized_map<tombstone_map<std::string, std::string>>);

using map_of_numbers = tombstone_map<int, int>;
const map_of_numbers::options by_hand{.background = false};

/// What a reader builds of the changes that it pulls.
class replica {
 public:
  explicit replica(map_of_numbers& map) : reader_(map.register_reader()) {}

  /// Resyncs if it has to.
  void follow() {
    const auto change = [this](int key, const std::optional<int>& value) {
      if (value)
        contents_.insert_or_assign(key, *value);
      else
        contents_.erase(key);
    };
    auto result = reader_.pull(change);
    while (result == pull_result::expired) {
      ++resyncs_;
      contents_.clear();
      result = reader_.resync(change);
    }
    EXPECT_EQ(result, pull_result::complete);
  }

  [[nodiscard]] const map_model& contents() const { return contents_; }
  [[nodiscard]] int resyncs() const { return resyncs_; }
  [[nodiscard]] bool expired() const { return reader_.expired(); }

 private:
  map_of_numbers::reader reader_;
  map_model contents_;
  int resyncs_ = 0;
};

const auto ignore = [](const auto&, const auto&) {};

template <class Map> void collect_all(Map& map) {
  while (!map.collect_once().nothing()) {
  }
}

template <class Map> std::string state_of(const Map& map) {
  const auto counts = map.counts();
  return std::to_string(counts.live) + " live, " + std::to_string(counts.pending) + " pending, " +
         std::to_string(counts.safe) + " safe, " + std::to_string(counts.purged_total) + " purged";
}

TEST(tombstone_map, answers_as_unordered_map_does_while_readers_follow) {
  for (unsigned seed = 1; seed <= 4; ++seed) {
    SCOPED_TRACE(seed);
    map_of_numbers map({.batch = 3, .most_tombstones = 20});
    replica often(map);
    replica seldom(map);
    int turn = 0;
    const auto model = racelab::random_operations(map, seed, 10'000, [&](const map_model& expected) {
      EXPECT_EQ(racelab::contents_of(map), expected);
      EXPECT_EQ(racelab::contents_of(map_of_numbers(map)), expected);
      often.follow();
      EXPECT_EQ(often.contents(), expected);
      if (++turn % 10 == 0) {
        seldom.follow();
        EXPECT_EQ(seldom.contents(), expected);
      }
    });
    EXPECT_EQ(racelab::contents_of(map), model);
    EXPECT_GT(seldom.resyncs(), 0) << "the bound was never reached";
  }
}

TEST(tombstone_map, refuses_options_that_make_no_map) {
  EXPECT_THROW(map_of_numbers({.batch = 0}), std::invalid_argument);
  EXPECT_THROW(map_of_numbers({.most_tombstones = 0}), std::invalid_argument);
}

// ---- A tombstone's way

TEST(tombstone_map, a_tombstone_is_pending_then_safe_then_purged) {
  map_of_numbers map(by_hand);
  auto reader = map.register_reader();
  map.insert(1, 10);
  EXPECT_EQ(state_of(map), "1 live, 0 pending, 0 safe, 0 purged");
  EXPECT_EQ(map.erase(1), 10);
  EXPECT_EQ(state_of(map), "0 live, 1 pending, 0 safe, 0 purged");
  EXPECT_TRUE(map.collect_once().nothing()) << "the reader has not seen it";
  EXPECT_EQ(state_of(map), "0 live, 1 pending, 0 safe, 0 purged");
  EXPECT_EQ(reader.pull(ignore), pull_result::complete);
  EXPECT_EQ(state_of(map), "0 live, 1 pending, 0 safe, 0 purged");
  EXPECT_EQ(map.collect_once().made_safe, 1U);
  EXPECT_EQ(state_of(map), "0 live, 0 pending, 1 safe, 0 purged");
  EXPECT_EQ(map.collect_once().purged, 1U);
  EXPECT_EQ(state_of(map), "0 live, 0 pending, 0 safe, 1 purged");
  EXPECT_TRUE(map.collect_once().nothing());
}

TEST(tombstone_map, a_key_can_come_back_whatever_has_become_of_its_tombstone) {
  map_of_numbers map(by_hand);
  const auto comes_back = [&](int value, const std::string& expected) {
    EXPECT_EQ(map.find(1), std::nullopt);
    EXPECT_EQ(map.erase(1), std::nullopt);
    EXPECT_FALSE(map.erase_if_equal(1, value - 1));
    EXPECT_EQ(map.size(), 0U);
    map.for_each([](int, int) { ADD_FAILURE() << "a tombstone is no entry"; });
    EXPECT_TRUE(map.insert(1, value));
    EXPECT_EQ(map.find(1), value);
    EXPECT_EQ(state_of(map), expected);
    EXPECT_TRUE(map.erase_if_equal(1, value));
  };
  comes_back(1, "1 live, 0 pending, 0 safe, 0 purged");
  comes_back(2, "1 live, 0 pending, 0 safe, 0 purged");  // it was pending
  map.collect_once();
  comes_back(3, "1 live, 0 pending, 0 safe, 0 purged");  // it was safe
  map.collect_once();
  map.collect_once();
  comes_back(4, "1 live, 0 pending, 0 safe, 1 purged");  // it was purged
  map.insert_or_assign(1, 5);
  EXPECT_EQ(map.find(1), 5);
  EXPECT_EQ(state_of(map), "1 live, 0 pending, 0 safe, 1 purged");
}

TEST(tombstone_map, without_readers_a_tombstone_is_safe_at_once) {
  map_of_numbers map(by_hand);
  map.insert(1, 1);
  map.erase(1);
  EXPECT_EQ(map.lag(), 0U);
  EXPECT_EQ(map.collect_once().made_safe, 1U);
}

TEST(tombstone_map, a_batch_is_no_larger_than_was_set) {
  map_of_numbers map({.batch = 10, .background = false});
  for (int key = 0; key < 35; ++key) map.insert(key, key);
  map.clear();
  EXPECT_EQ(state_of(map), "0 live, 35 pending, 0 safe, 0 purged");
  std::vector<std::pair<std::size_t, std::size_t>> steps;
  for (int i = 0; i < 6; ++i) {
    const auto step = map.collect_once();
    steps.emplace_back(step.made_safe, step.purged);
  }
  EXPECT_EQ(steps, (std::vector<std::pair<std::size_t, std::size_t>>{
                       {10, 0}, {10, 10}, {10, 10}, {5, 10}, {0, 5}, {0, 0}}));
}

TEST(tombstone_map, the_value_is_freed_by_the_delete) {
  const int alive = watched_value::alive();
  tombstone_map<int, watched_value> map({.background = false});
  auto reader = map.register_reader();
  for (int key = 0; key < 10; ++key) map.insert(key, watched_value(key));
  EXPECT_EQ(watched_value::alive(), alive + 10);
  map.erase(0);
  EXPECT_TRUE(map.erase_if_equal(1, watched_value(1)));
  EXPECT_EQ(watched_value::alive(), alive + 8);
  map.clear();
  EXPECT_EQ(watched_value::alive(), alive);
  EXPECT_EQ(map.counts().pending, 10U) << "only key and version are kept";
}

// ---- Readers

TEST(tombstone_map, a_reader_pulls_what_has_changed_since_in_the_order_of_changes) {
  map_of_numbers map({.batch = 2, .background = false});
  map.insert(1, 1);
  map.insert(2, 2);
  map.erase(1);  // before the reader came: its replica never had it
  auto reader = map.register_reader();
  std::vector<std::pair<int, std::optional<int>>> changes;
  const auto pull = [&] {
    changes.clear();
    EXPECT_EQ(
        reader.pull([&](int key, const std::optional<int>& value) { changes.emplace_back(key, value); }),
        pull_result::complete);
    return changes;
  };
  using expected = std::vector<std::pair<int, std::optional<int>>>;
  EXPECT_EQ(pull(), (expected{{2, 2}}));
  EXPECT_EQ(pull(), expected{});
  map.insert(3, 3);
  map.insert(4, 4);
  map.erase(2);
  map.insert_or_assign(3, 33);
  map.insert(5, 5);
  map.erase(5);
  map.insert(1, 11);
  EXPECT_EQ(pull(), (expected{{4, 4}, {2, {}}, {3, 33}, {5, {}}, {1, 11}}));
  EXPECT_EQ(pull(), expected{});
}

TEST(tombstone_map, the_slowest_reader_counts) {
  map_of_numbers map(by_hand);
  for (int key = 0; key < 10; ++key) map.insert(key, key);
  auto slow = map.register_reader();
  auto fast = std::make_unique<map_of_numbers::reader>(map.register_reader());
  EXPECT_EQ(map.lag(), 0U);
  for (int key = 0; key < 4; ++key) map.erase(key);
  EXPECT_EQ(map.lag(), 4U);
  fast->pull(ignore);
  EXPECT_EQ(map.lag(), 4U);
  collect_all(map);
  EXPECT_EQ(state_of(map), "6 live, 4 pending, 0 safe, 0 purged");
  slow.pull(ignore);
  EXPECT_EQ(map.lag(), 0U);
  map.erase(4);
  slow.pull(ignore);
  collect_all(map);
  EXPECT_EQ(state_of(map), "5 live, 1 pending, 0 safe, 4 purged");
  fast.reset();  // it will not see the last one
  collect_all(map);
  EXPECT_EQ(state_of(map), "5 live, 0 pending, 0 safe, 5 purged");
}

TEST(tombstone_map, a_reader_that_comes_later_holds_nothing_that_was_deleted_before) {
  map_of_numbers map(by_hand);
  for (int key = 0; key < 10; ++key) map.insert(key, key);
  map.erase(0);
  replica late(map);
  collect_all(map);
  EXPECT_EQ(map.counts().purged_total, 1U);
  map.erase(1);
  collect_all(map);
  EXPECT_EQ(map.counts().pending, 1U);
  late.follow();
  EXPECT_EQ(late.contents(), racelab::contents_of(map));
}

TEST(tombstone_map, a_reader_can_move_and_is_still_registered_once) {
  map_of_numbers map(by_hand);
  map.insert(1, 1);
  map.insert(2, 2);
  auto first = map.register_reader();
  auto second = std::move(first);
  map.erase(1);
  collect_all(map);
  EXPECT_EQ(map.counts().pending, 1U);
  second = map.register_reader();  // the one before unregisters
  collect_all(map);
  EXPECT_EQ(map.counts().purged_total, 1U);
  map.erase(2);
  collect_all(map);
  EXPECT_EQ(map.counts().pending, 1U);
}

TEST(tombstone_map, a_visit_that_throws_is_continued_where_it_threw) {
  for (const std::size_t batch : {1U, 3U, 100U}) {
    map_of_numbers map({.batch = batch, .background = false});
    auto reader = map.register_reader();
    for (int key = 0; key < 10; ++key) map.insert(key, key);
    std::vector<int> visited;
    const auto visit = [&](int key, const std::optional<int>&) {
      if (visited.size() == 5) throw std::runtime_error("visit");
      visited.push_back(key);
    };
    EXPECT_THROW(reader.pull(visit), std::runtime_error);
    EXPECT_THROW(reader.pull(visit), std::runtime_error);
    EXPECT_EQ(map.lag(), 5U);
    EXPECT_EQ(reader.pull([&](int key, const std::optional<int>&) { visited.push_back(key); }),
              pull_result::complete);
    EXPECT_EQ(visited, (std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  }
}

TEST(tombstone_map, the_visit_of_a_pull_may_call_the_map) {
  map_of_numbers map;
  auto reader = map.register_reader();
  for (int key = 0; key < 10; ++key) map.insert(key, key);
  EXPECT_EQ(reader.pull([&](int key, const std::optional<int>& value) { EXPECT_EQ(map.erase(key), value); }),
            pull_result::complete);
  EXPECT_EQ(map.size(), 0U);
}

// ---- Slow readers

TEST(tombstone_map, a_million_deletes_of_one_key_leave_one_tombstone) {
  map_of_numbers map(by_hand);
  auto slow = map.register_reader();
  for (int i = 0; i < 1'000'000; ++i) {
    map.insert(7, i);
    map.erase(7);
  }
  EXPECT_EQ(state_of(map), "0 live, 1 pending, 0 safe, 0 purged");
  EXPECT_FALSE(slow.expired());
  EXPECT_EQ(map.lag(), 2'000'000U);
}

TEST(tombstone_map, a_million_deletes_take_bounded_memory_and_expire_the_slow_reader) {
  constexpr std::size_t bound = 5'000;
  const int alive = watched_value::alive();
  tombstone_map<int, watched_value> map({.most_tombstones = bound});
  auto slow = map.register_reader();
  std::size_t most = 0;
  for (int key = 0; key < 1'000'000; ++key) {
    map.insert(key, watched_value(key));
    map.erase(key);
    if (key % 100 == 0) {
      const auto counts = map.counts();
      most = std::max(most, counts.pending + counts.safe);
    }
  }
  EXPECT_LE(most, bound);
  EXPECT_GT(most, bound / 2) << "the slow reader was waited for";
  EXPECT_TRUE(slow.expired());
  EXPECT_EQ(watched_value::alive(), alive);
  EXPECT_EQ(map.counts().live, 0U);
}

TEST(tombstone_map, memory_returns_once_a_slow_reader_has_caught_up) {
  constexpr int keys = 200'000;
  map_of_numbers map({.most_tombstones = keys});
  replica slow(map);
  for (int key = 0; key < keys; ++key) map.insert(key, key);
  slow.follow();
  EXPECT_EQ(slow.contents().size(), static_cast<std::size_t>(keys));
  map.clear();
  EXPECT_EQ(map.counts().pending, static_cast<std::size_t>(keys));
  EXPECT_EQ(map.lag(), static_cast<std::uint64_t>(keys));
  EXPECT_FALSE(slow.expired());
  slow.follow();
  EXPECT_TRUE(slow.contents().empty());
  while (map.counts().purged_total < keys) std::this_thread::yield();  // the collector has been woken
  EXPECT_EQ(state_of(map), "0 live, 0 pending, 0 safe, 200000 purged");
}

TEST(tombstone_map, of_several_readers_only_the_slow_one_is_expired) {
  map_of_numbers map({.batch = 4, .most_tombstones = 50, .background = false});
  replica slow(map);
  replica first(map);
  replica second(map);
  for (int key = 0; key < 500; ++key) map.insert(key, key);
  slow.follow();
  for (int key = 0; key < 400; ++key) {
    map.erase(key);
    if (key % 10 == 0) {
      first.follow();
      second.follow();
    }
    EXPECT_LE(map.counts().pending + map.counts().safe, 50U);
    EXPECT_EQ(slow.expired(), key >= 50);
    EXPECT_FALSE(first.expired() || second.expired());
  }
  EXPECT_LE(map.lag(), 10U) << "an expired reader does not count";
  EXPECT_EQ(slow.contents().size(), 500U);
  for (replica* each : {&slow, &first, &second}) {
    each->follow();
    EXPECT_EQ(each->contents(), racelab::contents_of(map));
  }
  EXPECT_EQ(slow.resyncs(), 1);
  EXPECT_EQ(first.resyncs() + second.resyncs(), 0);

  map.erase(450);  // it takes part again
  collect_all(map);
  EXPECT_EQ(map.counts().pending, 1U);
  slow.follow();
  EXPECT_EQ(slow.contents(), racelab::contents_of(map));
  EXPECT_EQ(slow.resyncs(), 1);
}

TEST(tombstone_map, an_expired_reader_pulls_nothing) {
  map_of_numbers map({.most_tombstones = 1, .background = false});
  auto reader = map.register_reader();
  for (int key = 0; key < 3; ++key) map.insert(key, key);
  map.erase(0);
  EXPECT_FALSE(reader.expired());
  map.erase(1);
  EXPECT_TRUE(reader.expired());
  EXPECT_EQ(reader.pull([](int, const std::optional<int>&) { ADD_FAILURE() << "would leave a hole"; }),
            pull_result::expired);
  int visited = 0;
  EXPECT_EQ(reader.resync([&](int key, const std::optional<int>& value) {
    EXPECT_EQ(value, key);
    ++visited;
  }),
            pull_result::complete);
  EXPECT_EQ(visited, 1);
  EXPECT_FALSE(reader.expired());
}

// ---- Exceptions

struct moody_hash {
  static inline std::atomic<bool> throws = false;
  std::size_t operator()(int key) const {
    if (throws && std::this_thread::get_id() != calm) throw std::runtime_error("hash");
    return std::hash<int>()(key);
  }
  static inline std::thread::id calm;  // a thread for which it does not throw
};

using moody_map = tombstone_map<int, int, moody_hash>;

TEST(tombstone_map, a_hash_that_throws_leaves_the_tombstone) {
  moody_map map({.background = false});
  moody_hash::calm = {};
  for (int key = 0; key < 5; ++key) map.insert(key, key);
  map.clear();
  map.collect_once();
  moody_hash::throws = true;
  EXPECT_THROW(map.collect_once(), std::runtime_error);
  moody_hash::throws = false;
  EXPECT_EQ(state_of(map), "0 live, 0 pending, 5 safe, 0 purged");
  collect_all(map);
  EXPECT_EQ(state_of(map), "0 live, 0 pending, 0 safe, 5 purged");
}

TEST(tombstone_map, the_collector_survives_a_hash_that_throws) {
  moody_map map;
  moody_hash::calm = std::this_thread::get_id();
  moody_hash::throws = true;
  map.insert(1, 1);
  map.insert(2, 2);
  map.erase(1);
  while (map.counts().failed_batches == 0) std::this_thread::yield();
  EXPECT_EQ(map.counts().purged_total, 0U);
  moody_hash::throws = false;
  map.erase(2);  // wakes it
  while (map.counts().purged_total < 2) std::this_thread::yield();
  EXPECT_EQ(map.counts().safe, 0U);
}

TEST(tombstone_map, a_copy_that_throws_leaves_the_map_as_it_was) {
  tombstone_map<int, watched_value> map({.background = false});
  const watched_value old_value(1);
  const watched_value new_value(2);
  map.insert(1, old_value);
  map.insert(3, old_value);
  map.erase(3);
  const auto before = state_of(map);
  const auto reader = map.register_reader();
  {
    const copy_hook hook([](int) { throw std::runtime_error("copy"); });
    EXPECT_THROW(map.insert(2, new_value), std::runtime_error);
    EXPECT_THROW(map.insert(3, new_value), std::runtime_error);
    EXPECT_THROW(map.insert_or_assign(1, new_value), std::runtime_error);
    EXPECT_THROW(map.insert_or_assign(2, new_value), std::runtime_error);
    EXPECT_THROW(static_cast<void>(map.find(1)), std::runtime_error);
  }
  EXPECT_EQ(state_of(map), before);
  EXPECT_EQ(map.lag(), 0U) << "no version was given away";
  EXPECT_EQ(map.find(1), old_value);
  EXPECT_EQ(map.find(2), std::nullopt);
  EXPECT_EQ(map.find(3), std::nullopt);
}

// ---- Threads

TEST(tombstone_map, a_replica_equals_the_map_after_concurrent_changes) {
  constexpr int writers = 3;
  map_of_numbers map({.batch = 16, .most_tombstones = 300});
  replica quick(map);
  replica slow(map);
  std::atomic<int> writing = writers;
  std::atomic<int> wrong = 0;
  const auto write = [&](unsigned writer) {
    std::mt19937 random(writer);
    for (int i = 0; i < 5000; ++i) {
      // Writer w's own keys, so that it knows what to find; and a few that all of them fight for.
      const int own = static_cast<int>(random() % 200 * writers + writer);
      const int common = -1 - static_cast<int>(random() % 10);
      map.insert_or_assign(own, i);
      if (map.find(own) != i) ++wrong;
      if (random() % 2 == 0 && map.erase(own) != i) ++wrong;
      map.insert_or_assign(common, i);
      map.erase(common);
      if (writer == 0 && i % 1000 == 999) map.insert(common, i);
    }
    --writing;
  };
  run_together([&] { write(0); }, [&] { write(1); }, [&] { write(2); },
               [&] {
                 while (writing > 0) quick.follow();
               },
               [&] {
                 while (writing > 0) {
                   while (writing > 0 && !slow.expired()) std::this_thread::yield();
                   slow.follow();
                 }
               });
  EXPECT_EQ(wrong, 0);
  for (replica* each : {&quick, &slow}) {
    each->follow();
    EXPECT_EQ(each->contents(), racelab::contents_of(map));
  }
  while (map.counts().pending + map.counts().safe > 0) std::this_thread::yield();
}

TEST(tombstone_map, clear_spares_what_is_stored_after_it_and_nothing_before) {
  map_of_numbers map({.batch = 8, .most_tombstones = 50});
  for (int key = 0; key < 1000; ++key) map.insert(key, key);
  std::atomic<bool> cleared = false;
  run_together(
      [&] {
        map.clear();
        for (int key = 0; key < 1000; ++key) EXPECT_EQ(map.find(key), std::nullopt);
        cleared = true;
      },
      [&] {
        for (int i = 0; !cleared; ++i) map.insert_or_assign(1000 + i % 500, i);
      });
  map.insert(0, 0);
  EXPECT_EQ(map.find(0), 0);
}

TEST(tombstone_map, it_ends_at_any_moment_and_readers_may_outlive_it) {
  std::mt19937 random(1);
  std::size_t unfinished = 0;
  for (int round = 0; round < 200; ++round) {
    auto map = std::make_unique<map_of_numbers>(map_of_numbers::options{.batch = 1 + random() % 8});
    auto idle = map->register_reader();
    std::optional<map_of_numbers::reader> leaving(map->register_reader());
    auto pulling = map->register_reader();
    std::atomic<bool> seen_closed = false;
    std::thread follower([&] {
      while (pulling.pull(ignore) != pull_result::closed) {
      }
      seen_closed = true;
    });
    const int keys = static_cast<int>(random() % 200);
    for (int key = 0; key < keys; ++key) map->insert(key, key);
    if (random() % 2 == 0) idle.pull(ignore);
    if (random() % 2 == 0) leaving.reset();
    map->clear();
    if (random() % 2 == 0) idle.pull(ignore);
    for (auto spin = random() % 2000; spin > 0; --spin) static_cast<void>(map->lag());
    const auto counts = map->counts();
    if (counts.pending + counts.safe > 0) ++unfinished;
    map.reset();
    follower.join();
    EXPECT_TRUE(seen_closed);
    EXPECT_TRUE(idle.closed() && pulling.closed());
    EXPECT_FALSE(idle.expired());
    EXPECT_EQ(idle.pull(ignore), pull_result::closed);
    EXPECT_EQ(idle.resync(ignore), pull_result::closed);
  }
  EXPECT_GT(unfinished, 0U) << "no round ended while tombstones were left";
}

}  // namespace
