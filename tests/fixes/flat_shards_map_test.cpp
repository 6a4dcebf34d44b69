// What is special to flat_shards_map: copies and size() lock one shard at a time, and are of one moment all the same.
#include "fixes/flat_shards_map.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>

#include "fixes/support/contract.hpp"

namespace {

using racelab::flat_shards_map;

static_assert(racelab::sized_map<flat_shards_map<int, int>>);
static_assert(racelab::sized_map<flat_shards_map<std::string, std::string>>);

template <class Map> std::size_t walked(const Map& map) {
  std::size_t count = 0;
  map.for_each([&count](int, int) { ++count; });
  return count;
}

/// look(map) again and again while another thread keeps one entry or two in it, a new one before the old one goes.
void look_while_one_entry_wanders(const std::function<void(const flat_shards_map<int, int>&)>& look) {
  flat_shards_map<int, int> map;
  map.insert(0, 0);
  std::atomic<bool> over = false;
  std::thread writer([&] {
    for (int key = 0; !over.load(); ++key) {
      map.insert(key + 1, 0);
      map.erase(key);
    }
  });
  for (int i = 0; i < 2000; ++i) look(map);
  over.store(true);
  writer.join();
}

TEST(flat_shards_map, counts_what_was_there_at_one_moment) {
  look_while_one_entry_wanders([](const auto& map) {
    const std::size_t size = map.size();
    EXPECT_TRUE(size == 1 || size == 2) << size;
  });
}

TEST(flat_shards_map, copies_what_was_there_at_one_moment) {
  look_while_one_entry_wanders([](const auto& map) {
    const std::size_t size = walked(flat_shards_map<int, int>(map));
    EXPECT_TRUE(size == 1 || size == 2) << size;
  });
}

struct fragile {
  static inline bool breaks = false;
  fragile() = default;
  fragile(const fragile&) {
    if (breaks) throw std::runtime_error("not copied");
  }
  fragile& operator=(const fragile&) = default;
  ~fragile() = default;
  bool operator==(const fragile&) const = default;
};

TEST(flat_shards_map, lets_writers_go_on_after_a_copy_that_failed) {
  flat_shards_map<int, fragile> map;
  map.insert(1, fragile());
  fragile::breaks = true;
  EXPECT_THROW((flat_shards_map<int, fragile>(map)), std::runtime_error);
  fragile::breaks = false;
  EXPECT_TRUE(map.insert(2, fragile()));
  EXPECT_EQ(map.size(), 2U);
}

/// Throws in one of 101 calls.
struct failing_hash {
  static inline unsigned calls = 0;
  std::size_t operator()(int key) const {
    if (++calls % 101 == 0) throw std::runtime_error("no hash");
    return std::hash<int>()(key);
  }
};

TEST(flat_shards_map, loses_nothing_when_the_hash_throws_while_a_table_grows) {
  flat_shards_map<int, int, failing_hash> map;
  std::size_t inserted = 0;
  std::size_t failed = 0;
  for (int key = 0; key < 20000; ++key) {
    try {
      inserted += map.insert(key, key) ? 1U : 0U;
    } catch (const std::runtime_error&) {
      ++failed;
    }
  }
  EXPECT_GT(failed, 0U);
  EXPECT_EQ(map.size(), inserted);
}

}  // namespace
