// Each kind of misuse, made to happen: one thread stops in the middle of an operation, the other one comes.
#include <gtest/gtest.h>

#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstddef>
#include <cstdint>
#include <map>
#include <new>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "sanitizers/write_flag/checked.hpp"
#include "stacks/threads.hpp"
#include "tests/write_flag/recorder.hpp"
#include "tests/write_flag/stop.hpp"

namespace {

using racelab::write_flag::misuse;
using racelab::write_flag::other_thread;
using racelab::write_flag::times_found;

template <typename Map> [[gnu::noinline]] void insert_and_stop(Map& map, stop& at) {
  map.try_emplace(stopping_key{1, &at}, 1);
}

template <typename Map> class checked_map : public testing::Test {
 protected:
  checked_map() { map_.try_emplace(stopping_key{7}, 7); }

  // Runs `other` while a thread is stopped in the middle of an insertion.
  template <typename Other> void during_an_insertion(Other other) {
    stop at;
    std::thread writer([&] { insert_and_stop(map_, at); });
    at.wait_until_inside();
    other(map_);
    at.open();
    writer.join();
  }

  // The one finding of a reader that met the stopped writer.
  void expect_one(misuse what, const char* function) {
    const auto found = recorder_.all();
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].what, what);
    EXPECT_EQ(found[0].map, &map_);
    EXPECT_EQ(found[0].other, other_thread::inside);
    ASSERT_EQ(found[0].threads.size(), 2U);
    EXPECT_TRUE(names(found[0].threads[0], function));
    EXPECT_TRUE(names(found[0].threads[1], "insert_and_stop"));
    EXPECT_EQ(found[0].threads[0].id, racelab::stacks::self().id.load());
    EXPECT_NE(found[0].threads[1].id, found[0].threads[0].id);
  }

  recorder recorder_;
  racelab::checked<Map> map_;
};

using maps = testing::Types<std::unordered_map<stopping_key, int>, std::map<stopping_key, int>,
                            boost::unordered_flat_map<stopping_key, int>>;
TYPED_TEST_SUITE(checked_map, maps);

template <typename Map> [[gnu::noinline]] void find_seven(Map& map) {
  EXPECT_EQ(map.find(stopping_key{7})->second, 7);
}
template <typename Map> [[gnu::noinline]] void ask_for_the_size(Map& map) { EXPECT_EQ(map.size(), 1U); }
template <typename Map> [[gnu::noinline]] void step_through(Map& map, typename Map::iterator at) {
  ++at;
  EXPECT_TRUE(at == map.end());
}
template <typename Map> [[gnu::noinline]] void copy_all(Map& map) {
  const Map copy(map);
  EXPECT_EQ(copy.size(), 1U);
}
// Of a key that is not there: the stopped thread may hold a pointer to one that is.
template <typename Map> [[gnu::noinline]] void erase_nothing(Map& map) {
  EXPECT_EQ(map.erase(stopping_key{5}), 0U);
}

TYPED_TEST(checked_map, sees_a_read_during_a_write) {
  this->during_an_insertion([](auto& map) { find_seven(map); });
  this->expect_one(misuse::read_and_write, "find_seven");
}

TYPED_TEST(checked_map, sees_size_during_a_write) {
  this->during_an_insertion([](auto& map) { ask_for_the_size(map); });
  this->expect_one(misuse::len_and_write, "ask_for_the_size");
}

TYPED_TEST(checked_map, sees_a_step_of_an_iterator_during_a_write) {
  auto at = this->map_.begin();
  this->during_an_insertion([&](auto& map) { step_through(map, at); });
  this->expect_one(misuse::iteration_and_write, "step_through");
}

TYPED_TEST(checked_map, sees_a_copy_during_a_write) {
  this->during_an_insertion([](auto& map) { copy_all(map); });
  this->expect_one(misuse::clone_and_write, "copy_all");
}

TYPED_TEST(checked_map, every_lookup_is_a_read) {
  const auto before = times_found(misuse::read_and_write);
  this->during_an_insertion([](auto& map) {
    const auto& constant = map;
    const stopping_key seven{7};
    EXPECT_NE(constant.find(seven), constant.end());
    EXPECT_EQ(map.at(seven), 7);
    EXPECT_EQ(constant.at(seven), 7);
    EXPECT_TRUE(constant.contains(seven));
    EXPECT_EQ(constant.count(seven), 1U);
    EXPECT_NE(constant.equal_range(seven).first, constant.end());
  });
  EXPECT_EQ(times_found(misuse::read_and_write) - before, 6U);
}

TYPED_TEST(checked_map, sees_two_writers_and_the_first_one_sees_it_too) {
  this->during_an_insertion([](auto& map) { erase_nothing(map); });
  const auto found = this->recorder_.all();
  ASSERT_EQ(found.size(), 2U);
  // The eraser, on its way in.
  EXPECT_EQ(found[0].what, misuse::writes);
  EXPECT_EQ(found[0].other, other_thread::inside);
  ASSERT_EQ(found[0].threads.size(), 2U);
  EXPECT_TRUE(names(found[0].threads[0], "erase_nothing"));
  EXPECT_TRUE(names(found[0].threads[1], "insert_and_stop"));
  // The inserter, on its way out: the eraser has left, but lives and can say where it is now.
  EXPECT_EQ(found[1].what, misuse::writes);
  EXPECT_EQ(found[1].other, other_thread::left);
  ASSERT_EQ(found[1].threads.size(), 3U);
  EXPECT_TRUE(names(found[1].threads[0], "insert_and_stop"));
  EXPECT_EQ(found[1].threads[1].stack.size, 1U);
  EXPECT_TRUE(names(found[1].threads[1], "erase_nothing"));
  EXPECT_EQ(found[1].threads[1].id, found[0].threads[0].id);
  EXPECT_EQ(found[1].threads[2].id, found[0].threads[0].id);
  EXPECT_TRUE(names(found[1].threads[2], "during_an_insertion"));
}

TYPED_TEST(checked_map, says_where_a_thread_entered_that_has_ended) {
  this->during_an_insertion([](auto& map) { std::thread([&] { erase_nothing(map); }).join(); });
  const auto found = this->recorder_.all();
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[1].other, other_thread::ended);
  ASSERT_EQ(found[1].threads.size(), 2U);
  EXPECT_EQ(found[1].threads[1].id, found[0].threads[0].id);
  EXPECT_TRUE(names(found[1].threads[1], "erase_nothing"));
}

using plain_map = std::unordered_map<stopping_key, int>;
using hash_map = racelab::checked<plain_map>;

// Each time on a map of its own, {7: 7}, while another thread stops in the hash function.
template <typename Change> std::uint64_t writes_found_during(Change change) {
  hash_map map{{stopping_key{7}, 7}};
  const recorder findings;
  const std::uint64_t before = times_found(misuse::writes);
  std::uint64_t seen = 0;
  stop at;
  std::thread writer([&] { insert_and_stop(map, at); });
  at.wait_until_inside();
  change(map);
  seen = times_found(misuse::writes) - before;
  at.open();
  writer.join();
  return seen;
}

TEST(checked_unordered_map, every_change_is_a_write) {
  const stopping_key seven{7};
  const stopping_key eight{8};
  const hash_map::value_type pair{eight, 8};
  const std::vector<hash_map::value_type> pairs{pair};
  EXPECT_EQ(writes_found_during([&](hash_map& map) { map[eight] = 8; }), 1U);
  EXPECT_EQ(writes_found_during([&](hash_map& map) { map[stopping_key{8}] = 8; }), 1U);
  EXPECT_EQ(writes_found_during([&](hash_map& map) { map.insert(pair); }), 1U);
  EXPECT_EQ(writes_found_during([&](hash_map& map) { map.insert({eight, 8}); }), 1U);
  EXPECT_EQ(writes_found_during([&](hash_map& map) { map.insert(std::pair(8, 8)); }), 1U);
  EXPECT_EQ(writes_found_during([&](hash_map& map) { map.insert(map.end(), pair); }), 1U);
  EXPECT_EQ(writes_found_during([&](hash_map& map) { map.insert(pairs.begin(), pairs.end()); }), 1U);
  EXPECT_EQ(writes_found_during([&](hash_map& map) { map.insert({pair, pair}); }), 1U);
  EXPECT_EQ(writes_found_during([&](hash_map& map) { map.insert_or_assign(eight, 8); }), 1U);
  EXPECT_EQ(writes_found_during([&](hash_map& map) { map.insert_or_assign(map.end(), eight, 8); }), 1U);
  EXPECT_EQ(writes_found_during([&](hash_map& map) { map.emplace(eight, 8); }), 1U);
  EXPECT_EQ(writes_found_during([&](hash_map& map) { map.emplace_hint(map.end(), eight, 8); }), 1U);
  EXPECT_EQ(writes_found_during([&](hash_map& map) { map.try_emplace(eight, 8); }), 1U);
  EXPECT_EQ(writes_found_during([&](hash_map& map) { map.try_emplace(map.end(), eight, 8); }), 1U);
  EXPECT_EQ(writes_found_during([&](hash_map& map) { map.erase(seven); }), 1U);
  EXPECT_EQ(writes_found_during([&](hash_map& map) { map.erase(map.find(seven)); }), 1U);
  EXPECT_EQ(writes_found_during([&](hash_map& map) { map.erase(map.cbegin(), map.cend()); }), 1U);
  EXPECT_EQ(writes_found_during([&](hash_map& map) { erase_if(map, [](const auto&) { return true; }); }), 1U);
  EXPECT_EQ(writes_found_during([&](hash_map& map) { map.clear(); }), 1U);
  EXPECT_EQ(writes_found_during([&](hash_map& map) { map.extract(seven); }), 1U);
  EXPECT_EQ(writes_found_during([&](hash_map& map) { map.extract(map.cbegin()); }), 1U);
  EXPECT_EQ(writes_found_during([&](hash_map& map) { map.reserve(100); }), 1U);
  EXPECT_EQ(writes_found_during([&](hash_map& map) { map.rehash(100); }), 1U);
  EXPECT_EQ(writes_found_during([&](hash_map& map) { map.max_load_factor(2); }), 1U);
  EXPECT_EQ(writes_found_during([&](hash_map& map) { map = {pair}; }), 1U);
  EXPECT_EQ(writes_found_during([&](hash_map& map) { map = hash_map(); }), 1U);
  hash_map other{{eight, 8}};
  EXPECT_EQ(writes_found_during([&](hash_map& map) { map = other; }), 1U);
  EXPECT_EQ(writes_found_during([&](hash_map& map) { map.merge(other); }), 1U);
  EXPECT_EQ(writes_found_during([&](hash_map& map) { other.merge(map); }), 1U);
  EXPECT_EQ(writes_found_during([&](hash_map& map) { map.swap(other); }), 1U);
  EXPECT_EQ(writes_found_during([&](hash_map& map) { swap(other, map); }), 1U);
  EXPECT_EQ(writes_found_during([&](hash_map& map) { map.insert(other.extract(other.begin())); }), 1U);
}

TEST(checked_unordered_map, comparing_reads_both) {
  const hash_map other;
  const auto before = times_found(misuse::iteration_and_write);
  writes_found_during([&](hash_map& map) { EXPECT_FALSE(map == other); });
  writes_found_during([&](hash_map& map) { EXPECT_FALSE(other == map); });
  EXPECT_EQ(times_found(misuse::iteration_and_write) - before, 2U);
}

TEST(checked_unordered_map, sees_a_move_during_a_write) {
  const auto before = times_found(misuse::moved_in_use);
  writes_found_during([&](hash_map& map) { const hash_map target(std::move(map)); });
  writes_found_during([&](hash_map& map) {
    hash_map target;
    target = std::move(map);
  });
  EXPECT_EQ(times_found(misuse::moved_in_use) - before, 2U);
}

// The destructor runs in a place that outlives it, and so that the stopped thread finds an empty map there.
TEST(checked_unordered_map, sees_its_destruction_during_a_write) {
  const recorder findings;
  alignas(hash_map) std::array<std::byte, sizeof(hash_map)> place{};
  auto* map = new (place.data()) hash_map;
  stop at;
  std::thread reader([&] { insert_and_stop(*map, at); });
  at.wait_until_inside();
  map->~hash_map();
  EXPECT_EQ(findings.all().size(), 1U);
  EXPECT_EQ(findings.all()[0].what, misuse::destroyed_in_use);
  at.open();
  reader.join();
  // And the inserter finds it out too, on its way out.
  ASSERT_EQ(findings.all().size(), 2U);
  EXPECT_EQ(findings.all()[1].what, misuse::destroyed_in_use);
  EXPECT_TRUE(names(findings.all()[1].threads[0], "insert_and_stop"));
}

struct hash_that_asks {
  static const void* asked;
  std::size_t operator()(int key) const;
};
const void* hash_that_asks::asked = nullptr;
using asking_map = racelab::checked<std::unordered_map<int, int, hash_that_asks>>;
std::size_t hash_that_asks::operator()(int key) const {
  if (asked != nullptr) {
    EXPECT_EQ(static_cast<const asking_map*>(asked)->size(), 0U);
  }
  return static_cast<std::size_t>(key);
}

TEST(checked_unordered_map, notices_its_own_operation_within_another) {
  const recorder findings;
  asking_map map;
  hash_that_asks::asked = &map;
  map.emplace(1, 1);
  hash_that_asks::asked = nullptr;
  const auto found = findings.all();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].what, misuse::len_and_write);
  EXPECT_EQ(found[0].other, other_thread::itself);
  ASSERT_EQ(found[0].threads.size(), 1U);
  EXPECT_NE(found[0].threads[0].note, nullptr);
}

}  // namespace
