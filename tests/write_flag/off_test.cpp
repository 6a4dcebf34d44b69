// RACELAB_WRITE_FLAG_OFF: checked<Map> is Map itself, and this program links nothing of racelab.
#define RACELAB_WRITE_FLAG_OFF
#include "sanitizers/write_flag/checked.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <type_traits>
#include <unordered_map>

namespace {

using map_type = racelab::checked<std::unordered_map<std::string, int>>;

static_assert(std::is_same_v<map_type, std::unordered_map<std::string, int>>);
static_assert(sizeof(map_type) == sizeof(std::unordered_map<std::string, int>));
static_assert(std::is_same_v<racelab::checked<std::map<int, int>>, std::map<int, int>>);

// A function for any checked map can still be called.
template <typename Map> int sum(const racelab::checked<Map>& map) {
  int result = 0;
  for (const auto& [key, value] : map) result += value;
  return result;
}

TEST(write_flag_off, leaves_the_plain_map) {
  map_type map{{"one", 1}, {"two", 2}};
  erase_if(map, [](const auto& entry) { return entry.second == 2; });
  EXPECT_EQ(sum(map), 1);
}

}  // namespace
