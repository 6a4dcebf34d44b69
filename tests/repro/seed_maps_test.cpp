// The racy maps are correct on one thread: what fails under several is the race and nothing else.
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <unordered_map>

#define lab_map lab_map_of_chained
#include "repro/support/maps/chained_map.hpp"
#undef lab_map
#define lab_map lab_map_of_hybrid
#include "repro/support/maps/seed_hybrid_cache.hpp"
#undef lab_map
#define lab_map lab_map_of_cas
#include "repro/support/maps/seed_cas_snapshot.hpp"
#undef lab_map
#define lab_map lab_map_of_unlocked
#include "repro/support/maps/seed_unlocked_reads.hpp"
#undef lab_map
#define lab_map lab_map_of_std
#include "repro/support/maps/unordered_map.hpp"
#undef lab_map
#define lab_map lab_map_of_flat
#include "repro/support/maps/flat_map.hpp"
#undef lab_map

namespace {

template <class Map> class RacyMap : public testing::Test {};

using maps =
    testing::Types<racelab::lab_map_of_chained<int, std::string>,
                   racelab::lab_map_of_hybrid<int, std::string>, racelab::lab_map_of_cas<int, std::string>,
                   racelab::lab_map_of_unlocked<int, std::string>, racelab::lab_map_of_std<int, std::string>,
                   racelab::lab_map_of_flat<int, std::string>>;
TYPED_TEST_SUITE(RacyMap, maps);

TYPED_TEST(RacyMap, EqualsTheReferenceOnOneThread) {
  std::mt19937 random(20);
  std::uniform_int_distribution<int> some_key(0, 80);
  std::uniform_int_distribution<int> some_operation(0, 9);
  TypeParam map;
  std::unordered_map<int, std::string> reference;
  for (int step = 0; step < 3000; ++step) {
    const int key = some_key(random);
    if constexpr (requires { map.erase(key); }) {
      if (some_operation(random) < 3) {
        const auto at = reference.find(key);
        const std::optional<std::string> expected =
            at == reference.end() ? std::nullopt : std::optional<std::string>(at->second);
        reference.erase(key);
        ASSERT_EQ(map.erase(key), expected);
      }
    }
    if (some_operation(random) < 3) {
      const std::string value = "a value that lives on the heap " + std::to_string(step);
      map.insert_or_assign(key, value);
      reference.insert_or_assign(key, value);
    }
    const auto found = map.find(key);
    ASSERT_EQ(found.has_value(), reference.contains(key));
    if (found) {
      ASSERT_EQ(*found, reference.at(key));
    }
    ASSERT_EQ(map.size(), reference.size());
  }
  std::unordered_map<int, std::string> walked;
  map.for_each([&](int key, const std::string& value) { EXPECT_TRUE(walked.emplace(key, value).second); });
  EXPECT_EQ(walked, reference);
}

}  // namespace
