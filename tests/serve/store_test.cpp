// Stores: every map answers the same, and tells of itself what it can.
#include "serve/store.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "serve/bare.hpp"
#include "serve/lock_waits.hpp"
#include "serve/metrics.hpp"

namespace {

using namespace racelab::serve;

/// Whether `done` came true within ten seconds: what threads do to each other takes as long as it takes.
template <class Done> bool comes_true(Done done) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!done()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

TEST(Store, KnowsTheMapsThatThreadsMayShare) {
  const auto names = map_names();
  EXPECT_TRUE(std::ranges::is_sorted(names));
  for (const char* name : {"mutex_map", "sharded_map", "cas_snapshot_map", "tombstone_map", "mutex_shards"})
    EXPECT_TRUE(std::ranges::find(names, name) != names.end()) << name;
  EXPECT_TRUE(std::ranges::find(names, "bare_unordered_map") == names.end());
  EXPECT_EQ(make_store("bare_unordered_map"), nullptr);
  EXPECT_EQ(make_store("no_such_map"), nullptr);
}

TEST(Store, AllMapsAnswerTheSameToTheSame) {
  for (const std::string& name : map_names()) {
    const auto tested = make_store(name);
    ASSERT_NE(tested, nullptr) << name;
    std::map<std::string, std::string> model;
    std::mt19937 random(7);
    for (int i = 0; i < 4'000; ++i) {
      const std::string key = mix_key(random() % 60);
      const std::string value = std::to_string(i);
      const auto at = model.find(key);
      switch (random() % 3) {
        case 0:
          EXPECT_EQ(tested->get(key), at == model.end() ? std::nullopt : std::optional(at->second)) << name;
          break;
        case 1:
          EXPECT_EQ(tested->put(key, value), at == model.end() ? put_result::created : put_result::replaced)
              << name;
          model[key] = value;
          break;
        default:
          EXPECT_EQ(tested->erase(key), at != model.end()) << name;
          model.erase(key);
      }
    }
    for (int i = 0; i < 60; ++i) {
      const auto at = model.find(mix_key(static_cast<std::size_t>(i)));
      EXPECT_EQ(tested->get(mix_key(static_cast<std::size_t>(i))),
                at == model.end() ? std::nullopt : std::optional(at->second))
          << name;
    }
  }
}

TEST(Store, AMapWithoutSuchMetricsHasNone) {
  const map_metrics metrics = make_store("mutex_map")->metrics();
  EXPECT_FALSE(metrics.waits);
  EXPECT_FALSE(metrics.splits);
  EXPECT_TRUE(metrics.shards.empty());
  EXPECT_FALSE(metrics.retries);
  EXPECT_FALSE(metrics.tombstones);
}

TEST(Store, ShardsAreCountedAndAHotOneIsSplit) {
  const auto map = make_store("sharded_map");
  preload(*map, 200);
  const auto before = map->metrics();
  EXPECT_EQ(before.splits, 0U);
  EXPECT_EQ(before.shards.size(), 16U);
  for (int i = 0; i < 20'000; ++i) static_cast<void>(map->get(mix_key(1)));
  const auto after = map->metrics();
  ASSERT_TRUE(after.splits);
  EXPECT_GE(*after.splits, 1U);
  std::uint64_t operations = 0;
  for (const shard_load& each : after.shards) operations += each.operations;
  EXPECT_EQ(operations, 20'200U);
  EXPECT_TRUE(after.waits);
}

TEST(Store, WritersThatAreOvertakenAreCounted) {
  const auto map = make_store("cas_snapshot_map");
  preload(*map, 100);
  EXPECT_EQ(map->metrics().retries, 0U);
  std::vector<std::jthread> writers;
  for (int i = 0; i < 4; ++i)
    writers.emplace_back([&map](const std::stop_token& stop) {
      while (!stop.stop_requested()) map->put("one", "value");
    });
  EXPECT_TRUE(comes_true([&map] { return map->metrics().retries > 0U; }));
}

TEST(Store, DeletesLeaveTombstonesThatArePurged) {
  const auto map = make_store("tombstone_map");
  preload(*map, 100);
  for (std::size_t i = 0; i < 100; ++i) EXPECT_TRUE(map->erase(mix_key(i)));
  EXPECT_TRUE(comes_true([&map] { return map->metrics().tombstones->purged == 100U; }));
  const auto now = map->metrics().tombstones;
  EXPECT_EQ(now->pending + now->safe, 0U);
  EXPECT_EQ(now->lag, 0U);
}

TEST(LockWaits, AreCountedInsideOfAMapAlone) {
  for (const char* const name : {"mutex_map", "rw_lock_map", "mutex_shards"}) {
    const auto map = make_store(name);
    lock_use use;
    {
      const inside_map counted(use);
      map->put("key", "value");
    }
    EXPECT_GT(use.taken, 0U) << name;
    EXPECT_EQ(use.waits, 0U) << name;
    const auto taken = use.taken.load();
    map->put("key", "value");
    EXPECT_EQ(use.taken, taken) << name;
    std::vector<std::jthread> writers;
    for (int i = 0; i < 3; ++i)
      writers.emplace_back([&map](const std::stop_token& stop) {
        const std::string value(100'000, 'x');
        while (!stop.stop_requested()) map->put("key", value);
      });
    EXPECT_TRUE(comes_true([&] {
      const inside_map counted(use);
      for (int i = 0; i < 100; ++i) static_cast<void>(map->get("key"));
      return use.waits > 0 && use.waited_ns > 0;
    })) << name;
  }
}

TEST(LockWaits, AMapWithoutSuchALockTakesNone) {
  const auto map = make_store("cas_snapshot_map");
  lock_use use;
  preload(*map, 10);
  const inside_map counted(use);
  for (std::size_t i = 0; i < 10; ++i) EXPECT_TRUE(map->get(mix_key(i)));
  EXPECT_EQ(use.taken, 0U);
}

TEST(Bare, DoesTheMix) {
  const auto map = make_store("mutex_map");
  preload(*map, 50);
  EXPECT_GT(bare_throughput(*map, 50, 2, 0.05), 1'000.0);
  for (std::size_t i = 0; i < 50; ++i) EXPECT_TRUE(map->get(mix_key(i))) << i;
  std::size_t there = 0;
  for (std::size_t i = 50; i < 150; ++i) there += map->get(mix_key(i)) ? 1U : 0U;
  EXPECT_GT(there, 0U) << "no key came";
  EXPECT_LT(there, 100U) << "no key went";
}

TEST(Metrics, EachWorkersCountsAreAddedUp) {
  counters counted(3);
  for (std::size_t worker = 0; worker < 3; ++worker) {
    counted.of(worker).count(outcome::get_hit);
    counted.of(worker).count_response(200);
  }
  counted.of(1).count(outcome::delete_absent);
  add(counted.of(2).opened, 5);
  add(counted.of(0).closed, 2);
  EXPECT_EQ(counted.operations(), 4U);
  const std::string text = prometheus_text("some_map", counted, {});
  for (const char* line : {"racelab_map_info{map=\"some_map\"} 1\n",
                           "racelab_operations_total{operation=\"get\",result=\"hit\"} 3\n",
                           "racelab_operations_total{operation=\"delete\",result=\"absent\"} 1\n",
                           "racelab_http_responses_total{code=\"200\"} 3\n", "racelab_connections_total 5\n",
                           "racelab_connections 3\n"})
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
  for (const char* left_out : {"lock_wait", "shard", "retries", "tombstone"})
    EXPECT_EQ(text.find(left_out), std::string::npos) << left_out;
}

TEST(Metrics, WhatTheMapKnowsIsTold) {
  const counters counted(1);
  map_metrics of_map;
  of_map.retries = 7;
  of_map.tombstones = {.pending = 1, .safe = 2, .purged = 3, .lag = 4};
  of_map.waits = {.count = 5, .seconds = 0.25};
  of_map.splits = 1;
  of_map.shards = {{.path = 1, .bits = 1, .operations = 10, .waits = 2},
                   {.path = 3, .bits = 3, .operations = 4, .waits = 0}};
  const std::string text = prometheus_text("some_map", counted, of_map);
  for (const char* line : {"racelab_retries_total 7\n", "racelab_tombstones{state=\"pending\"} 1\n",
                           "racelab_tombstones{state=\"safe\"} 2\n", "racelab_tombstones_purged_total 3\n",
                           "racelab_replica_lag 4\n", "racelab_lock_waits_total 5\n",
                           "racelab_lock_wait_seconds_total 0.25\n", "racelab_hot_shard_splits_total 1\n",
                           "racelab_shards 1\n", "racelab_shard_operations_total{path=\"1\",bits=\"1\"} 10\n",
                           "racelab_shard_lock_waits_total{path=\"3\",bits=\"3\"} 0\n"})
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
}

TEST(Metrics, ALockThatWasTakenIsTold) {
  counters counted(2);
  add(counted.of(0).locks.taken, 10);
  add(counted.of(1).locks.waits, 3);
  add(counted.of(1).locks.waited_ns, 1'500'000'000);
  const std::string text = prometheus_text("mutex_map", counted, {});
  EXPECT_NE(text.find("racelab_lock_waits_total 3\n"), std::string::npos);
  EXPECT_NE(text.find("racelab_lock_wait_seconds_total 1.5\n"), std::string::npos);
}

}  // namespace
