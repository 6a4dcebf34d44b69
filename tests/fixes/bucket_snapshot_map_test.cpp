// bucket_snapshot_map: walks across growth, what a reader that stays keeps alive, and what fails while it grows. Also built
// under AddressSanitizer and under ThreadSanitizer.
#include "fixes/bucket_snapshot_map.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <stdexcept>
#include <thread>
#include <vector>

#include "fixes/support/contract.hpp"
#include "tests/fixes/watched_value.hpp"

namespace {

using racelab::copy_hook;
using racelab::watched_value;
using map_of_numbers = racelab::bucket_snapshot_map<int, int>;
using watched_map = racelab::bucket_snapshot_map<int, watched_value>;
static_assert(racelab::sized_map<map_of_numbers>);

constexpr int stripes = 32;
constexpr int most_waiting = 32;  // buckets of a stripe

TEST(BucketSnapshotMap, WalkWhileItGrowsMeetsWhatStaysOnceAndNothingTwice) {
  constexpr int staying = 500;
  constexpr int coming = 20'000;
  map_of_numbers map;
  for (int key = 0; key < staying; ++key) map.insert(key, key);
  std::atomic<bool> done{false};
  std::atomic<int> walks{0};
  std::thread writer([&] {
    for (int key = staying; key < coming; ++key) {
      // However the two are scheduled, there are walks before the end.
      while (key == coming / 2 && walks.load() < 2) std::this_thread::yield();
      map.insert(key, key);
    }
    done.store(true);
  });
  do {
    std::vector<int> times(coming);
    map.for_each([&](int key, int) { ++times[static_cast<std::size_t>(key)]; });
    for (int key = 0; key < staying; ++key) EXPECT_EQ(times[static_cast<std::size_t>(key)], 1) << key;
    for (const int each : times) EXPECT_LE(each, 1);
    ++walks;
  } while (!done.load());
  writer.join();
  EXPECT_EQ(map.size(), static_cast<std::size_t>(coming));
  EXPECT_GT(walks.load(), 1);
}

TEST(BucketSnapshotMap, WalkGoesOnInTheTablesThatCameMeanwhile) {
  map_of_numbers map;
  for (int key = 0; key < 100; ++key) map.insert(key, key);
  std::vector<int> times(10'000);
  bool grown = false;
  map.for_each([&](int key, int) {
    ++times[static_cast<std::size_t>(key)];
    if (grown) return;
    grown = true;
    for (int more = 100; more < 10'000; ++more) map.insert(more, more);  // each stripe grows five times or so
  });
  for (int key = 0; key < 100; ++key) EXPECT_EQ(times[static_cast<std::size_t>(key)], 1) << key;
  for (const int each : times) EXPECT_LE(each, 1);
}

TEST(BucketSnapshotMap, ReaderThatStaysKeepsOneBucket) {
  constexpr int entries = 1'000;
  {
    watched_map map;
    for (int key = 0; key < entries; ++key) map.insert(key, watched_value(key));
    bool first = true;
    map.for_each([&](int, const watched_value& seen) {
      if (!first) return;
      first = false;
      const int number = seen.number();
      for (int round = 0; round < 20; ++round)
        for (int key = 0; key < entries; ++key) map.insert_or_assign(key, watched_value(key + round));
      // A bucket has an entry or two, seldom up to eight.
      EXPECT_LE(watched_value::alive(), entries + 8 * stripes * most_waiting);
      EXPECT_EQ(seen.number(), number);
    });
  }
  EXPECT_EQ(watched_value::alive(), 0);
}

TEST(BucketSnapshotMap, WhatCanNotGrowGoesOnAsItIs) {
  constexpr int copies_of_growth = 12;  // more than an insert into one bucket makes
  watched_map map;
  int key = 0;
  for (bool failed = false; !failed; ++key) {
    ASSERT_LT(key, 10'000);
    const watched_value value(key);
    int copies = 0;
    const copy_hook counting([&copies](int) {
      if (++copies == copies_of_growth) throw std::runtime_error("no copy");
    });
    ASSERT_NO_THROW(map.insert(key, value));
    failed = copies >= copies_of_growth;
  }
  for (int each = 0; each < key; ++each) ASSERT_TRUE(map.find(each).has_value()) << each;
  for (int more = 0; more < 5'000; ++more) map.insert(key + more, watched_value(more));
  EXPECT_EQ(map.size(), static_cast<std::size_t>(key) + 5'000);
}

TEST(BucketSnapshotMap, WhatChangesNothingCopiesNothing) {
  watched_map map;
  const watched_value one(1);
  map.insert(1, one);
  int copies = 0;
  const copy_hook counting([&copies](int) { ++copies; });
  EXPECT_FALSE(map.insert(1, one));
  EXPECT_EQ(map.erase(2), std::nullopt);
  EXPECT_FALSE(map.erase_if_equal(1, watched_value(2)));
  EXPECT_EQ(copies, 0);
}

}  // namespace
