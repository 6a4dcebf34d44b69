// Random operations on a map and on std::unordered_map, side by side on one thread: both answer the same.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <functional>
#include <optional>
#include <random>
#include <unordered_map>

namespace racelab {

using map_model = std::unordered_map<int, int>;

template <class Map> map_model contents_of(const Map& map) {
  map_model contents;
  map.for_each(
      [&](int key, int value) { EXPECT_TRUE(contents.emplace(key, value).second) << "twice: " << key; });
  return contents;
}

/// Calls now_and_then(model) after some of the operations. Returns what the map must hold in the end.
template <class Map>
map_model random_operations(Map& map, unsigned seed, int operations,
                            const std::function<void(const map_model&)>& now_and_then) {
  std::mt19937 random(seed);
  map_model model;
  for (int i = 0; i < operations && !testing::Test::HasFailure(); ++i) {
    const int key = static_cast<int>(random() % 200);
    const int value = static_cast<int>(random() % 4);
    const auto at = model.find(key);
    const std::optional<int> known = at == model.end() ? std::nullopt : std::optional(at->second);
    switch (random() % 8) {
      case 0:
      case 1:
        EXPECT_EQ(map.insert(key, value), model.emplace(key, value).second);
        break;
      case 2:
        map.insert_or_assign(key, value);
        model[key] = value;
        break;
      case 3:
      case 4:
        EXPECT_EQ(map.erase(key), known);
        model.erase(key);
        break;
      case 5:
        EXPECT_EQ(map.erase_if_equal(key, value), known == value);
        if (known == value) model.erase(key);
        break;
      case 6:
        EXPECT_EQ(map.find(key), known);
        break;
      default:
        if (random() % 512 == 0) {
          map.clear();
          model.clear();
        }
        if (random() % 32 == 0) now_and_then(model);
    }
    EXPECT_EQ(map.size(), model.size());
  }
  return model;
}

}  // namespace racelab
