// hmap on one thread: against a model, by Go's own tests (carried over under their names), and cell by cell.
#include "repro/support/hmap/hmap.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstdint>
#include <fstream>
#include <limits>
#include <map>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "tests/hmap/hmap_model.hpp"
#include "tests/hmap/hmap_peek.hpp"

namespace {

using racelab::hmap;
using racelab::hmap_peek;
using racelab::hmap_model::pair_of_maps;
using racelab::hmap_model::poor_hash;

using numbers = hmap<std::uint64_t, std::uint64_t>;
const double nan = std::numeric_limits<double>::quiet_NaN();

numbers filled(std::uint64_t from, std::uint64_t to, std::size_t hint = 0) {
  numbers map(hint);
  for (std::uint64_t i = from; i < to; ++i) map.insert(i, i);
  return map;
}

template <class Map> std::vector<std::uint64_t> order_of(const Map& map) {
  std::vector<std::uint64_t> order;
  map.for_each([&](const auto& key, const auto&) { order.push_back(static_cast<std::uint64_t>(key)); });
  return order;
}

// A key says where it goes: its top byte is the tophash, its low byte chooses the bucket.
struct planted_hash {
  std::uint64_t operator()(std::uint64_t key, std::uint32_t) const { return key; }
};
using planted = hmap<std::uint64_t, std::uint64_t, racelab::write_flag::off, planted_hash>;

std::uint64_t key_in(std::uint64_t bucket, std::uint64_t top) { return top << 56 | bucket; }

// Go's make(map, hint), filled until a growth has begun and is not yet done.
numbers growing_map() {
  numbers map;
  for (std::uint64_t i = 0; !hmap_peek::growing(map) || i < 100; ++i) map.insert(i, i);
  return map;
}

// ---- Against std::unordered_map ----

template <class Pair> class RandomOperations : public testing::Test {};
using Pairs =
    testing::Types<pair_of_maps<std::uint64_t>, pair_of_maps<std::uint64_t, poor_hash<std::uint64_t>>,
                   pair_of_maps<std::string>, pair_of_maps<std::string, poor_hash<std::string>>,
                   pair_of_maps<double>, pair_of_maps<double, poor_hash<double>>>;
TYPED_TEST_SUITE(RandomOperations, Pairs);

TYPED_TEST(RandomOperations, MatchAnUnorderedMapWhileItGrowsAndShrinks) {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    SCOPED_TRACE(seed);
    racelab::fastrand_seed(seed);
    std::mt19937_64 random(seed);
    TypeParam pair(seed % 3 == 0 ? 100 : 0);
    for (int phase = 0; phase < 8; ++phase) {
      const bool grow = phase % 2 == 0;
      for (int i = 0; i < 1500; ++i) {
        const auto which = static_cast<unsigned>(random());
        const std::uint64_t number = random() % 600;
        ASSERT_NO_THROW(pair.apply(random() % 3 == 0 ? (grow ? 0 : 4) : which, number, random() % 50));
      }
      ASSERT_EQ(hmap_peek::tombstone_check(pair.real()), "");
      ASSERT_NO_THROW(pair.compare(pair.real()));
    }
  }
}

// ---- Go's tests ----

TEST(Go, HmapSize) {
  EXPECT_EQ(sizeof(numbers), 48U);
  EXPECT_EQ(sizeof(hmap<std::string, std::string>), 48U);
  EXPECT_EQ(sizeof(racelab::bmap<std::uint64_t, std::uint64_t>), 8U + 8 * 8 + 8 * 8 + 8);
}

TEST(Go, MapTombstones) {
  constexpr std::uint64_t n = 10000;
  numbers map = filled(0, n);
  EXPECT_EQ(hmap_peek::tombstone_check(map), "");
  for (std::uint64_t i = 0; i < n; i += 2) map.erase(i);
  EXPECT_EQ(hmap_peek::tombstone_check(map), "");
  for (std::uint64_t i = n; i < 3 * n / 2; ++i) map.insert(i, i);
  EXPECT_EQ(hmap_peek::tombstone_check(map), "");
  for (std::uint64_t i = 0; i < 3 * n / 2; ++i) map.erase(i);
  EXPECT_EQ(hmap_peek::tombstone_check(map), "");
  EXPECT_EQ(map.size(), 0U);
}

TEST(Go, IterGrowAndDelete) {
  numbers map = filled(0, 100, 4);
  bool first = true;
  map.for_each([&](std::uint64_t key, std::uint64_t) {
    if (first) {
      for (std::uint64_t i = 100; i < 1000; ++i) map.insert(i, i);
      for (std::uint64_t i = 1; i < 1000; i += 2) map.erase(i);
      first = false;
    } else {
      EXPECT_EQ(key % 2, 0U) << "an erased key was visited";
    }
  });
}

// Go's runs the garbage collector in the loop; here the old array is freed in the loop.
TEST(Go, IterGrowWithGC) {
  numbers map = filled(0, 16, 4);
  std::set<std::uint64_t> seen;
  bool first = true;
  map.for_each([&](std::uint64_t key, std::uint64_t) {
    if (first) {
      for (std::uint64_t i = 100; i < 1000; ++i) map.insert(i, i);
      first = false;
    }
    if (key < 16) {
      EXPECT_TRUE(seen.insert(key).second) << key << " was visited twice";
    }
  });
  EXPECT_EQ(seen.size(), 16U);
}

TEST(Go, MapNanGrowIterator) {
  constexpr std::size_t buckets = 16;
  constexpr int keys = static_cast<int>(buckets * 6.5);
  for (int round = 0; round < 20; ++round) {
    hmap<double, int> map;
    for (int i = 0; i < keys; ++i) map.insert_or_assign(nan, i);
    ASSERT_FALSE(hmap_peek::growing(map));
    map.insert_or_assign(1.0, -1);
    map.erase(1.0);
    ASSERT_TRUE(hmap_peek::growing(map));
    std::set<int> found;
    map.for_each([&](double, int value) {
      EXPECT_TRUE(found.insert(value).second) << value << " was visited twice";
      if (found.size() == keys / 2) {
        for (std::size_t i = 0; i < 2 * buckets; ++i) map.erase(static_cast<double>(i));
        EXPECT_FALSE(hmap_peek::growing(map));
      }
    });
    EXPECT_EQ(found.size(), static_cast<std::size_t>(keys));
  }
}

TEST(Go, GrowWithNaN) {
  hmap<double, int> map(4);
  for (const int value : {1, 2, 4}) map.insert_or_assign(nan, value);
  int visited = 0;
  int values = 0;
  bool first = true;
  map.for_each([&](double key, int value) {
    if (first) {
      for (int i = 0; i < 100; ++i) map.insert_or_assign(static_cast<double>(i), i);
      first = false;
    }
    if (key != key) {
      ++visited;
      values |= value;
    }
  });
  EXPECT_EQ(visited, 3);
  EXPECT_EQ(values, 7);
}

TEST(Go, MapAssignmentNan) {
  hmap<double, int> map;
  for (int i = 0; i < 50; ++i) map.insert_or_assign(nan, i);
  EXPECT_EQ(map.size(), 50U);
  EXPECT_FALSE(map.find(nan));
  EXPECT_FALSE(map.erase(nan));
  EXPECT_EQ(map.size(), 50U);
  map.clear();
  EXPECT_EQ(map.size(), 0U);
  map.for_each([](double, int) { ADD_FAILURE() << "an entry after clear"; });
}

TEST(Go, NegativeZero) {
  hmap<double, bool> map;
  map.insert_or_assign(+0.0, true);
  map.insert_or_assign(-0.0, true);
  EXPECT_EQ(map.size(), 1U);
  map.for_each([](double key, bool) { EXPECT_TRUE(std::signbit(key)) << "the key was not renewed"; });
  map.insert_or_assign(+0.0, true);
  EXPECT_FALSE(map.insert(-0.0, false)) << "insert changes nothing";
  map.for_each([](double key, bool) { EXPECT_FALSE(std::signbit(key)); });
}

TEST(Go, MapBuckets) {
  struct expectation {
    std::size_t hint, buckets;
  };
  for (const auto [hint, buckets] : {expectation{0, 1}, {1, 1}, {8, 1}, {9, 2}, {13, 2}, {14, 4}, {26, 4}}) {
    SCOPED_TRACE(hint);
    numbers map(hint);
    EXPECT_EQ(hmap_peek::has_buckets(map), hint > 8) << "a small map allocates at its first assignment";
    for (std::uint64_t i = 0; i < hint; ++i) map.insert(i, i);
    EXPECT_EQ(hmap_peek::buckets(map), buckets);
    EXPECT_FALSE(hmap_peek::growing(map));
  }
}

TEST(Go, MapsFromSixteenBucketsOnBringOverflowBuckets) {
  EXPECT_FALSE(hmap_peek::has_preallocated_overflow(numbers(52)));
  EXPECT_EQ(hmap_peek::buckets(numbers(52)), 8U);
  EXPECT_TRUE(hmap_peek::has_preallocated_overflow(numbers(53)));
  EXPECT_EQ(hmap_peek::buckets(numbers(53)), 16U);
}

TEST(Go, MapIterOrder) {
  for (const std::uint64_t n : {3U, 7U, 9U, 15U}) {
    for (int round = 0; round < 100; ++round) {
      const numbers map = filled(0, n);
      const auto first = order_of(map);
      int tries = 0;
      while (order_of(map) == first) ASSERT_LT(++tries, 100) << n << " keys: always the same order";
    }
  }
}

TEST(Go, MapSparseIterOrder) {
  numbers map = filled(0, 1000);
  for (std::uint64_t i = 1; i < 1000; i += 2) map.erase(i);
  const auto first = order_of(map);
  EXPECT_EQ(first.size(), 500U);
  int tries = 0;
  while (order_of(map) == first) ASSERT_LT(++tries, 100);
}

TEST(Go, MapIterDelete) {
  numbers map = filled(0, 7);
  std::size_t visited = 0;
  map.for_each([&](std::uint64_t, std::uint64_t) {
    ++visited;
    for (std::uint64_t i = 0; i < 7; ++i) map.erase(i);
  });
  EXPECT_EQ(visited, 1U);
}

TEST(Go, MapIterDeleteReplace) {
  const auto increments = {0, 1, 2};
  for (const int step : increments) {
    numbers map = filled(0, 200);
    std::size_t visited = 0;
    map.for_each([&](std::uint64_t key, std::uint64_t value) {
      ++visited;
      EXPECT_EQ(map.erase(key), value);
      if (step > 0) map.insert(key, value + static_cast<std::uint64_t>(step));
    });
    EXPECT_GE(visited, 200U);
    EXPECT_EQ(map.size(), step > 0 ? 200U : 0U);
  }
}

TEST(Go, MapInterfaceKeyLikeStrings) {
  hmap<std::string, std::string> map;
  std::map<std::string, std::string> expected;
  for (std::size_t length = 0; length < 200; ++length) {
    const std::string key(length, 'a');
    map.insert_or_assign(key, key + "!");
    expected[key] = key + "!";
  }
  for (const auto& [key, value] : expected) EXPECT_EQ(map.find(key), value);
  EXPECT_FALSE(map.find(std::string(200, 'a')));
}

TEST(Go, IncrementAfterDelete) {
  hmap<std::string, int> map;
  map.insert_or_assign("key", 99);
  EXPECT_EQ(map.erase("key"), 99);
  EXPECT_FALSE(map.find("key"));
  map.insert("other", 1);
  EXPECT_TRUE(map.insert("key", 1));
  EXPECT_EQ(map.find("key"), 1);
}

TEST(Go, IncrementAfterBulkClear) {
  hmap<std::string, int> map;
  map.insert("key", 99);
  map.clear();
  EXPECT_EQ(map.size(), 0U);
  EXPECT_TRUE(map.insert("key", 1));
  EXPECT_EQ(map.find("key"), 1);
}

TEST(Go, CloneWithDelete) {
  numbers map = filled(0, 32);
  for (std::uint64_t i = 8; i < 32; ++i) map.erase(i);
  const numbers copy(map);
  EXPECT_EQ(copy.size(), 8U);
  for (std::uint64_t i = 0; i < 8; ++i) EXPECT_EQ(copy.find(i), i);
  EXPECT_EQ(order_of(copy).size(), 8U);
}

TEST(Go, CloneDuringGrowth) {
  for (std::uint64_t n = 1; n < 300; ++n) {
    const numbers map = filled(0, n);
    const numbers copy(map);
    ASSERT_EQ(copy.size(), n);
    ASSERT_EQ(order_of(copy).size(), n);
    for (std::uint64_t i = 0; i < n; ++i) ASSERT_EQ(copy.find(i), i);
    ASSERT_EQ(hmap_peek::tombstone_check(copy), "");
  }
}

// An iterator sees none of the entries that were there before a clear, not even NaNs in an array long
// abandoned.
TEST(Go, MapIterClearNaN) {
  for (int round = 0; round < 20; ++round) {
    hmap<double, int> map;
    for (int i = 0; i < 8; ++i) map.insert(nan, i);
    std::size_t visited = 0;
    map.for_each([&](double, int) {
      ++visited;
      for (int i = 0; i < 100; ++i) map.insert(i, i);
      map.clear();
    });
    EXPECT_EQ(visited, 1U);
  }
}

TEST(Go, MapIterClear) {
  for (int round = 0; round < 50; ++round) {
    numbers map = growing_map();
    std::size_t visited = 0;
    map.for_each([&](std::uint64_t, std::uint64_t) {
      ++visited;
      map.clear();
    });
    EXPECT_EQ(visited, 1U);
  }
}

// ---- Growth, memory, seeds ----

TEST(Growth, StartsWhenTheAverageBucketHoldsMoreThanSixAndAHalf) {
  numbers map = filled(0, 26, 26);
  ASSERT_EQ(hmap_peek::buckets(map), 4U);
  EXPECT_FALSE(map.insert(25, 0)) << "a known key";
  EXPECT_FALSE(hmap_peek::growing(map));
  map.insert(26, 26);
  EXPECT_EQ(hmap_peek::buckets(map), 8U);
  EXPECT_TRUE(hmap_peek::growing(map)) << "two of four buckets are evacuated";
  (void)map.find(1);
  EXPECT_TRUE(hmap_peek::growing(map)) << "reading moves nothing";
  map.erase(1000);
  map.erase(1001);
  EXPECT_FALSE(hmap_peek::growing(map)) << "each change evacuates at least one more";
}

TEST(Growth, RebuildsAtTheSameSizeWhenThereAreTooManyOverflowBuckets) {
  // Sixteen buckets. More than 64 entries in one of them need eight overflow buckets, which stay when they
  // go.
  planted map(100);
  for (const std::uint64_t bucket : {11U, 15U}) {
    for (std::uint64_t i = 0; i < 65; ++i) map.insert(key_in(bucket, 0x80 + i), i);
    for (std::uint64_t i = 9; i < 65; ++i) map.erase(key_in(bucket, 0x80 + i));
  }
  EXPECT_EQ(hmap_peek::noverflow(map), 16U);
  EXPECT_FALSE(hmap_peek::growing(map));
  map.insert(key_in(2, 0x80), 0);
  EXPECT_TRUE(hmap_peek::growing(map));
  EXPECT_TRUE(hmap_peek::same_size(map));
  EXPECT_EQ(hmap_peek::buckets(map), 16U);

  const auto expect_all = [](const planted& all) {
    for (std::uint64_t i = 0; i < 9; ++i) {
      EXPECT_EQ(all.find(key_in(11, 0x80 + i)), i);
      EXPECT_EQ(all.find(key_in(15, 0x80 + i)), i);
    }
    EXPECT_EQ(all.size(), 19U);
    EXPECT_EQ(order_of(all).size(), 19U);
    EXPECT_EQ(hmap_peek::tombstone_check(all), "");
  };
  expect_all(map);
  const planted copy(map);
  EXPECT_EQ(hmap_peek::buckets(copy), 4U) << "in a copy 11 and 15 share a bucket";
  expect_all(copy);

  for (std::uint64_t i = 0; i < 15; ++i) map.erase(key_in(5, 0x80));
  EXPECT_FALSE(hmap_peek::growing(map));
  EXPECT_FALSE(hmap_peek::same_size(map));
  EXPECT_EQ(hmap_peek::noverflow(map), 2U) << "the chains are as long as they must be";
  expect_all(map);
}

TEST(Growth, UsesThePreallocatedOverflowBucketsFirst) {
  // All keys in one bucket of sixteen: eight cells, one preallocated bucket, then single ones.
  struct one_bucket {
    std::uint64_t operator()(std::uint64_t key, std::uint32_t) const { return key << 56; }
  };
  hmap<std::uint64_t, std::uint64_t, racelab::write_flag::off, one_bucket> map(53, 1);
  for (std::uint64_t i = 0; i < 16; ++i) map.insert(i, i);
  EXPECT_EQ(hmap_peek::noverflow(map), 1U);
  EXPECT_EQ(hmap_peek::single_overflow_buckets(map), 0U);
  map.insert(16, 16);
  EXPECT_EQ(hmap_peek::noverflow(map), 2U);
  EXPECT_EQ(hmap_peek::single_overflow_buckets(map), 1U);
  map.clear();
  EXPECT_EQ(hmap_peek::noverflow(map), 0U);
  EXPECT_TRUE(hmap_peek::has_preallocated_overflow(map)) << "clear uses the array again";
}

// How many objects live, so that none is lost or destroyed twice.
struct counted {
  static inline int alive = 0;
  std::uint64_t number;
  explicit counted(std::uint64_t value) : number(value) { ++alive; }
  counted(const counted& other) : number(other.number) { ++alive; }
  counted(counted&& other) noexcept : number(other.number) { ++alive; }
  counted& operator=(const counted&) = default;
  counted& operator=(counted&&) = default;
  ~counted() { --alive; }
  bool operator==(const counted&) const = default;
};

TEST(Memory, ACellThatIsEmptiedDestroysItsKeyAndElem) {
  {
    hmap<std::uint64_t, counted> map;
    for (std::uint64_t i = 0; i < 8; ++i) map.insert(i, counted(i));
    EXPECT_EQ(counted::alive, 8);
    map.insert_or_assign(3, counted(33));
    EXPECT_EQ(counted::alive, 8);
    map.erase(3);
    EXPECT_EQ(counted::alive, 7);
    map.clear();
    EXPECT_EQ(counted::alive, 0);
    for (std::uint64_t i = 0; i < 1000; ++i) map.insert(i, counted(i));
    while (hmap_peek::growing(map)) map.erase(5000);
    EXPECT_EQ(counted::alive, 1000) << "the old array is freed with what was left in it";
  }
  EXPECT_EQ(counted::alive, 0);
}

TEST(Memory, AnIteratorKeepsTheOldArrayUntilItEnds) {
  hmap<std::uint64_t, counted> map;
  for (std::uint64_t i = 0; i < 8; ++i) map.insert(i, counted(i));
  {
    hmap<std::uint64_t, counted>::hiter it(map);
    map.insert(8, counted(8));
    ASSERT_FALSE(hmap_peek::growing(map));
    EXPECT_EQ(counted::alive, 9 + 8);
    std::set<std::uint64_t> seen;
    for (; it; it.next()) EXPECT_TRUE(seen.insert(it.key()).second);
    EXPECT_GE(seen.size(), 8U);
  }
  EXPECT_EQ(counted::alive, 9);
}

TEST(Memory, AnIteratorInAnOverflowBucketSurvivesAClear) {
  planted map(13);
  for (std::uint64_t i = 0; i < 13; ++i) map.insert(key_in(0, 0x80 + i), i);
  ASSERT_EQ(hmap_peek::single_overflow_buckets(map), 1U);
  planted::hiter it(map);
  for (int step = 0; step < 8; ++step) it.next();  // the ninth entry is not in the first bucket
  map.clear();
  for (std::uint64_t i = 0; i < 13; ++i) map.insert(key_in(0, 0x80 + i), i);
  std::set<std::uint64_t> seen;
  for (it.next(); it; it.next()) EXPECT_TRUE(seen.insert(it.key()).second);
}

TEST(Seed, IsRenewedByClearAndWhenTheLastEntryGoes) {
  racelab::fastrand_seed(7);
  hmap<int, int> map(0, 42);
  EXPECT_EQ(hmap_peek::hash0(map), 42U);
  map.insert(1, 1);
  map.insert(2, 2);
  map.erase(1);
  EXPECT_EQ(hmap_peek::hash0(map), 42U);
  map.erase(2);
  const std::uint32_t second = hmap_peek::hash0(map);
  EXPECT_NE(second, 42U);
  map.insert(1, 1);
  map.clear();
  EXPECT_NE(hmap_peek::hash0(map), second);
}

TEST(Seed, AThreadWithoutOneMakesItsOwn) {
  std::set<std::uint64_t> numbers_drawn;
  for (int i = 0; i < 4; ++i) {
    std::thread([&] { numbers_drawn.insert(racelab::fastrand64()); }).join();
  }
  EXPECT_EQ(numbers_drawn.size(), 4U);
}

TEST(Seed, MakesARunRepeatable) {
  const auto run = [] {
    racelab::fastrand_seed(3);
    hmap<int, int> map(0, 5);
    for (int i = 0; i < 100; ++i) map.insert(i, i);
    return order_of(map);
  };
  EXPECT_EQ(run(), run());
}

TEST(Hash, SpreadsOverBucketsAndTopBytesAndDependsOnTheSeed) {
  const auto check = [](auto make) {
    using key = decltype(make(std::uint64_t{0}));
    const racelab::go_hash<key> hash;
    std::set<std::uint64_t> low;
    std::set<std::uint64_t> top;
    std::set<std::uint64_t> whole;
    for (std::uint64_t i = 0; i < 4096; ++i) {
      low.insert(hash(make(i), 1) & 255);
      top.insert(hash(make(i), 1) >> 56);
      whole.insert(hash(make(i), 1));
      whole.insert(hash(make(i), 2));
    }
    EXPECT_EQ(low.size(), 256U);
    EXPECT_EQ(top.size(), 256U);
    EXPECT_EQ(whole.size(), 8192U);
  };
  check([](std::uint64_t i) { return i; });
  check([](std::uint64_t i) { return static_cast<double>(i); });
  check([](std::uint64_t i) { return std::to_string(i); });
  check([](std::uint64_t i) { return "a longer key, of more than one word: " + std::to_string(i); });
  EXPECT_EQ(racelab::go_hash<double>{}(0.0, 9), racelab::go_hash<double>{}(-0.0, 9));
  EXPECT_NE(racelab::go_hash<double>{}(nan, 9), racelab::go_hash<double>{}(nan, 9));
}

// ---- The states of a cell ----

std::string dump(const planted& map) {
  std::ostringstream out;
  map.dump(out);
  return out.str();
}

// docs/hmap.md shows what the map does: these dumps, to the letter.
void expect_in_docs(const std::string& text) {
  std::ifstream file(RACELAB_SOURCE_DIR "/docs/hmap.md");
  const std::string docs{std::istreambuf_iterator<char>(file), {}};
  EXPECT_NE(docs.find(text), std::string::npos) << "docs/hmap.md lacks\n" << text;
}

TEST(StateTransitions, ADeletedCellIsEmptyOneAndEmptyRestOnceNothingFollows) {
  planted map;
  for (const std::uint64_t top : {0xa0U, 0xa1U, 0xa2U}) map.insert(key_in(0, top), 0);
  std::string table = "three entries\n" + dump(map);
  map.erase(key_in(0, 0xa1));
  table += "erase a1: a2 follows\n" + dump(map);
  map.erase(key_in(0, 0xa2));
  table += "erase a2: nothing follows, and back over a1\n" + dump(map);
  map.erase(key_in(0, 0xa0));
  table += "erase a0\n" + dump(map);
  EXPECT_EQ(table, R"(three entries
count 3, flags 0, B 0, noverflow 0, nevacuate 0
buckets
  0: a0 a1 a2 emptyRest x5
erase a1: a2 follows
count 2, flags 0, B 0, noverflow 0, nevacuate 0
buckets
  0: a0 emptyOne a2 emptyRest x5
erase a2: nothing follows, and back over a1
count 1, flags 0, B 0, noverflow 0, nevacuate 0
buckets
  0: a0 emptyRest x7
erase a0
count 0, flags 0, B 0, noverflow 0, nevacuate 0
buckets
  0: emptyRest x8
)");
  expect_in_docs(table);
}

TEST(StateTransitions, EmptyRestGoesBackAcrossOverflowBuckets) {
  planted map(13);
  for (std::uint64_t i = 0; i < 9; ++i) map.insert(key_in(0, 0xa0 + i), 0);
  map.erase(key_in(0, 0xa6));
  map.erase(key_in(0, 0xa7));
  std::string table = "the ninth cell is in an overflow bucket; a6 and a7 are erased\n" + dump(map);
  map.erase(key_in(0, 0xa8));
  table += "erase a8\n" + dump(map);
  EXPECT_EQ(table, R"(the ninth cell is in an overflow bucket; a6 and a7 are erased
count 7, flags 0, B 1, noverflow 1, nevacuate 0
buckets
  0: a0 a1 a2 a3 a4 a5 emptyOne x2
  overflow: a8 emptyRest x7
  1: emptyRest x8
erase a8
count 6, flags 0, B 1, noverflow 1, nevacuate 0
buckets
  0: a0 a1 a2 a3 a4 a5 emptyRest x2
  overflow: emptyRest x8
  1: emptyRest x8
)");
  expect_in_docs(table);
}

TEST(StateTransitions, AnEvacuatedCellIsLeftAloneByTheDeleteOfItsKey) {
  planted map(26);
  for (std::uint64_t i = 0; i < 4; ++i) map.insert(key_in(i % 2 == 0 ? 0 : 4, 0xa0 + i), 0);
  for (std::uint64_t i = 0; i < 8; ++i) map.insert(key_in(1, 0xb0 + i), 0);
  for (std::uint64_t i = 0; i < 7; ++i) map.insert(key_in(2, 0xc0 + i), 0);
  for (std::uint64_t i = 0; i < 7; ++i) map.insert(key_in(3, 0xd0 + i), 0);
  map.erase(key_in(0, 0xa2));
  map.insert(key_in(3, 0xd7), 0);
  map.insert(key_in(3, 0xd8), 0);
  std::string table = "the 27th entry made it grow: old buckets 3 and 0 are evacuated\n" + dump(map);
  map.erase(key_in(0, 0xa0));
  table += "erase a0: its new cell is emptied, its old one stays evacuatedX; old bucket 1 is evacuated\n" +
           dump(map);
  EXPECT_EQ(table, R"(the 27th entry made it grow: old buckets 3 and 0 are evacuated
count 27, flags 0, B 3, noverflow 1, nevacuate 1
buckets
  0: a0 emptyRest x7
  1: emptyRest x8
  2: emptyRest x8
  3: d0 d1 d2 d3 d4 d5 d6 d7
  overflow: d8 emptyRest x7
  4: a1 a3 emptyRest x6
  5: emptyRest x8
  6: emptyRest x8
  7: emptyRest x8
oldbuckets
  0: evacuatedX evacuatedY evacuatedEmpty evacuatedY evacuatedEmpty x4
  1: b0 b1 b2 b3 b4 b5 b6 b7
  2: c0 c1 c2 c3 c4 c5 c6 emptyRest
  3: evacuatedX x8
erase a0: its new cell is emptied, its old one stays evacuatedX; old bucket 1 is evacuated
count 26, flags 0, B 3, noverflow 1, nevacuate 2
buckets
  0: emptyRest x8
  1: b0 b1 b2 b3 b4 b5 b6 b7
  2: emptyRest x8
  3: d0 d1 d2 d3 d4 d5 d6 d7
  overflow: d8 emptyRest x7
  4: a1 a3 emptyRest x6
  5: emptyRest x8
  6: emptyRest x8
  7: emptyRest x8
oldbuckets
  0: evacuatedX evacuatedY evacuatedEmpty evacuatedY evacuatedEmpty x4
  1: evacuatedX x8
  2: c0 c1 c2 c3 c4 c5 c6 emptyRest
  3: evacuatedX x8
)");
  expect_in_docs(table);
}

// ---- What happens in no program that is right ----

TEST(BadMapStateDeathTest, AnImpossibleCellEndsTheProcess) {
  const auto corrupt = [] {
    planted map(26);
    for (std::uint64_t i = 0; i < 26; ++i) map.insert(key_in(i % 4, 0xa0 + i), 0);
    hmap_peek::state(map, 3, 2) = racelab::cell::evacuatedX;
    map.insert(key_in(3, 0xff), 0);
  };
  EXPECT_EXIT(corrupt(), testing::KilledBySignal(SIGABRT), "^fatal error: bad map state\n");
}

}  // namespace
