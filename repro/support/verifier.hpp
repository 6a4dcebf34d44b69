// What a scenario checks after its threads have ended, and the exit code that tells the outcome:
// 0 intact, 1 an invariant is broken (each is printed as a line `corrupt: …`).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdio>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace racelab {

class verifier {
 public:
  /// Any thread may call this. Prints the first few that do not hold.
  void that(bool holds, const std::string& otherwise) {
    if (holds) return;
    if (broken_.fetch_add(1, std::memory_order_relaxed) < most_printed) {
      std::printf("corrupt: %s\n", otherwise.c_str());
      std::fflush(stdout);
    }
  }

  /// `key` is in `map`, with `value`.
  template <class Map, class Key, class Value>
  void holds(const Map& map, const Key& key, const Value& value) {
    const auto found = map.find(key);
    that(found.has_value(), text(key) + " is gone");
    if (found) that(*found == value, text(key) + " has another value than it was given");
  }

  /// `key` is not in `map`.
  template <class Map, class Key> void lacks(const Map& map, const Key& key) {
    that(!map.find(key).has_value(), text(key) + " is there although it was deleted");
  }

  /// No key comes twice in a walk, every key that the walk meets can be found, and size(), if the map has one, is what
  /// the walk finds. Keys are looked up after the walk, which may hold a lock.
  template <class Map> void consistent(const Map& map) {
    std::set<std::string> seen;
    std::vector<typename Map::key_type> keys;
    const std::size_t size = claimed_size(map);
    const std::size_t far_too_many = 4 * (size < 1'000'000 ? size : 1'000'000) + 10'000;
    try {
      map.for_each([&](const auto& key, const auto& /*value*/) {
        if (keys.size() == far_too_many) throw endless{};
        keys.push_back(key);
        that(seen.insert(text(key)).second, text(key) + " comes twice in a walk");
      });
    } catch (const endless&) {
      that(false, "the walk does not end");
      return;
    }
    for (const auto& key : keys)
      that(map.find(key).has_value(), text(key) + " comes in a walk but is not found");
    if constexpr (has_size<Map>)
      that(keys.size() == size,
           "size() says " + std::to_string(size) + ", a walk finds " + std::to_string(keys.size()));
  }

  /// The outcome protocol's exit code.
  [[nodiscard]] int exit_code() const {
    const int broken = broken_.load(std::memory_order_relaxed);
    if (broken > most_printed) std::printf("corrupt: and %d more\n", broken - most_printed);
    return broken == 0 ? 0 : 1;
  }

 private:
  struct endless {};
  static constexpr int most_printed = 5;

  template <class Map> static constexpr bool has_size = requires(const Map& map) { map.size(); };

  template <class Map> static std::size_t claimed_size(const Map& map) {
    if constexpr (has_size<Map>)
      return map.size();
    else
      return 1'000'000;
  }

  template <class Key> static std::string text(const Key& key) {
    std::ostringstream out;
    out << key;
    return out.str();
  }

  // Relaxed: a counter that threads add to, read after they have ended.
  std::atomic<int> broken_{0};
};

}  // namespace racelab
