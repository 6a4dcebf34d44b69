// What the snapshot remedies promise besides the contract: snapshots that stay, versions, one publication for many
// deletes, a visitor that may call the map, and old snapshots that go.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "fixes/cas_snapshot_map.hpp"
#include "fixes/copy_on_write_map.hpp"
#include "fixes/hybrid_map.hpp"
#include "repro/support/gate.hpp"
#include "tests/fixes/brittle.hpp"

namespace {

using brittle::number;

template <class Map> class snapshot_map : public testing::Test {
 protected:
  void TearDown() override { EXPECT_EQ(number::alive(), 0); }

  static void fill(Map& map, int entries) {
    for (int i = 0; i < entries; ++i) map.insert(number(i), number(10 * i));
  }
  template <class View> static std::map<int, int> contents(const View& view) {
    std::map<int, int> all;
    view.for_each([&](const number& key, const number& value) { all.emplace(key.get(), value.get()); });
    return all;
  }
};
using maps = testing::Types<racelab::copy_on_write_map<number, number>, racelab::hybrid_map<number, number>,
                            racelab::cas_snapshot_map<number, number>>;
TYPED_TEST_SUITE(snapshot_map, maps);

TYPED_TEST(snapshot_map, holds_a_snapshot_beyond_later_writes_and_the_maps_end) {
  std::optional<TypeParam> map(std::in_place);
  this->fill(*map, 40);
  const auto before = this->contents(*map);
  const auto held = map->snapshot();
  for (int i = 0; i < 40; ++i) map->erase(number(i));
  map->insert(number(99), number(1));
  EXPECT_EQ(this->contents(held), before);
  EXPECT_EQ(map->size(), 1U);
  map.reset();
  EXPECT_EQ(held.size(), 40U);
  EXPECT_EQ(held.find(number(7))->get(), 70);
  EXPECT_FALSE(held.find(number(99)).has_value());
  EXPECT_EQ(this->contents(held), before);
}

TYPED_TEST(snapshot_map, has_a_version_for_each_change) {
  TypeParam map;
  const auto first = map.version();
  this->fill(map, 3);
  EXPECT_EQ(map.version(), first + 3);
  EXPECT_FALSE(map.insert(number(1), number(1)));
  EXPECT_FALSE(map.erase(number(9)).has_value());
  EXPECT_FALSE(map.erase_if_equal(number(1), number(9)));
  EXPECT_EQ(map.version(), first + 3) << "what changes nothing publishes nothing";
  const auto found = map.find_versioned(number(2));
  EXPECT_EQ(found.version, first + 3);
  EXPECT_EQ(found.value->get(), 20);
  const auto held = map.snapshot();
  map.clear();
  map.clear();
  EXPECT_EQ(map.version(), first + 4);
  EXPECT_EQ(map.find_versioned(number(2)).version, first + 4);
  EXPECT_FALSE(map.find_versioned(number(2)).value.has_value());
  EXPECT_EQ(held.version(), first + 3);
}

TYPED_TEST(snapshot_map, erases_many_keys_with_one_publication) {
  TypeParam map;
  this->fill(map, 500);
  std::vector<number> doomed;
  for (int i = 100; i < 600; ++i) doomed.emplace_back(i);
  doomed.emplace_back(100);
  const auto before = map.version();
  EXPECT_EQ(map.erase_all(doomed), 400U);
  EXPECT_EQ(map.version(), before + 1);
  EXPECT_EQ(map.size(), 100U);
  const auto left = this->contents(map);
  EXPECT_EQ(left.size(), 100U);
  EXPECT_EQ(left.rbegin()->first, 99);
  EXPECT_EQ(map.erase_all(doomed), 0U);
  EXPECT_EQ(map.erase_all(std::vector<number>()), 0U);
  EXPECT_EQ(map.version(), before + 1);
}

TYPED_TEST(snapshot_map, stores_many_keys_at_once) {
  TypeParam map;
  this->fill(map, 10);
  std::vector<std::pair<number, number>> entries;
  for (int i = 5; i < 300; ++i) entries.emplace_back(i, -i);
  entries.emplace_back(5, 55);
  const auto before = map.version();
  map.insert_or_assign_all(entries);
  EXPECT_EQ(map.version(), before + 1);
  EXPECT_EQ(map.size(), 300U);
  EXPECT_EQ(map.find(number(5))->get(), 55);
  EXPECT_EQ(map.find(number(6))->get(), -6);
  EXPECT_EQ(map.find(number(299))->get(), -299);
  map.insert_or_assign_all(std::vector<std::pair<number, number>>());
  EXPECT_EQ(map.version(), before + 1);
}

// One in four entries stays: the others are not kept in memory by the last snapshot.
TYPED_TEST(snapshot_map, keeps_no_more_entries_alive_than_it_has) {
  TypeParam map;
  this->fill(map, 400);
  map.reclaim();
  std::vector<number> doomed;
  for (int i = 0; i < 300; ++i) doomed.emplace_back(i);
  map.erase_all(doomed);
  doomed.clear();
  EXPECT_EQ(map.waiting(), 0U);
  EXPECT_EQ(number::alive(), 200);
  map.clear();
  EXPECT_EQ(number::alive(), 0);
}

TYPED_TEST(snapshot_map, lets_a_visitor_call_the_map) {
  TypeParam map;
  this->fill(map, 40);
  int visited = 0;
  map.for_each([&](const number& key, const number& value) {
    ++visited;
    EXPECT_EQ(map.erase(key)->get(), value.get());
    map.insert(number(100 + key.get()), value);
    map.for_each([&](const number& inner, const number&) { EXPECT_NE(inner.get(), key.get()); });
  });
  EXPECT_EQ(visited, 40);
  EXPECT_EQ(map.size(), 40U);
}

TYPED_TEST(snapshot_map, shows_all_or_nothing_of_a_deletion_of_many) {
  constexpr int writers = 1;
  constexpr int readers = 3;
  TypeParam map;
  std::vector<number> all;
  for (int i = 0; i < 30; ++i) all.emplace_back(i);
  racelab::run_together(writers + readers, [&](int thread) {
    for (int round = 0; round < 30; ++round) {
      if (thread < writers) {
        for (const number& key : all) map.insert(key, number(round));
        EXPECT_EQ(map.erase_all(all), all.size());
      } else {
        // Inserted in order of the keys, so a hole below the last one is a part of a deletion.
        const auto seen = this->contents(map.snapshot());
        if (!seen.empty()) {
          EXPECT_EQ(seen.size(), static_cast<std::size_t>(seen.rbegin()->first) + 1);
        }
      }
    }
  });
}

// Readers hold snapshots, stand on them, and go, while writers replace them by the hundred: how many entries are alive
// is bounded by who holds what now, not by how many were made.
TYPED_TEST(snapshot_map, frees_old_snapshots_while_readers_come_and_go) {
  constexpr int threads = 4;
  constexpr int entries = 20;
  TypeParam map;
  this->fill(map, entries);
  std::vector<int> most(threads, 0);
  racelab::run_together(threads, [&](int thread) {
    auto held = map.snapshot();
    for (int i = 0; i < 200; ++i) {
      if (thread % 2 == 0) {
        map.insert_or_assign(number(i % entries), number(i));
        EXPECT_LE(map.waiting(), std::size_t{10} * threads);
      } else {
        EXPECT_EQ(held.size(), std::size_t{entries});
        held = map.snapshot();
        EXPECT_TRUE(map.find(number(i % entries)).has_value());
      }
      most[static_cast<std::size_t>(thread)] =
          std::max(most[static_cast<std::size_t>(thread)], number::alive());
    }
  });
  // Some snapshots for each thread, of keys and values, in two layers with up to 17 changes: not 400.
  EXPECT_LE(std::ranges::max(most), 10 * threads * 2 * (entries + 17));
  map.reclaim();
  EXPECT_EQ(map.waiting(), 0U);
  const auto size = static_cast<int>(map.size());
  EXPECT_EQ(size, entries);
  EXPECT_LE(number::alive(), 2 * (entries + 17));
}

// Only the map that competes counts them, and it never gives up.
TEST(cas_snapshot_map, counts_its_retries_and_loses_nothing) {
  {
    constexpr int threads = 4;
    constexpr int keys = 40;
    racelab::cas_snapshot_map<number, number> map;
    std::uint64_t of_deletes = 0;
    for (int round = 0; round < 1000 && of_deletes == 0; ++round) {
      racelab::run_together(threads, [&](int thread) {
        for (int i = 0; i < keys; ++i) map.insert(number(threads * i + thread), number(i));
      });
      EXPECT_EQ(map.size(), std::size_t{threads} * keys);
      const auto of_inserts = map.retries();
      racelab::run_together(threads, [&](int thread) {
        for (int i = 0; i < keys; i += 2) {
          const std::vector pair{number(threads * i + thread), number(threads * (i + 1) + thread)};
          EXPECT_EQ(map.erase_all(pair), 2U);
        }
      });
      EXPECT_EQ(map.size(), 0U);
      of_deletes = map.retries() - of_inserts;
    }
    EXPECT_GT(of_deletes, 0U) << "nobody was ever overtaken: this run proves nothing";
    const auto retries = map.retries();
    map.insert(number(1), number(1));
    EXPECT_EQ(map.retries(), retries) << "alone, nobody is overtaken";
  }
  EXPECT_EQ(number::alive(), 0);
}

}  // namespace
