// What a scenario checks after its threads have ended, and the exit code that tells the outcome:
// 0 intact, 1 an invariant is broken (each is printed as a line `corrupt: …`).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdio>
#include <set>
#include <sstream>
#include <string>

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

  /// size() is what a walk finds, no key comes twice, and every key that the walk meets can be found.
  template <class Map> void consistent(const Map& map) {
    std::set<std::string> keys;
    std::size_t walked = 0;
    const std::size_t size = map.size();
    const std::size_t far_too_many = 4 * (size < 1'000'000 ? size : 1'000'000) + 10'000;
    try {
      map.for_each([&](const auto& key, const auto& /*value*/) {
        if (++walked > far_too_many) throw endless{};
        that(keys.insert(text(key)).second, text(key) + " comes twice in a walk");
        that(map.find(key).has_value(), text(key) + " comes in a walk but is not found");
      });
    } catch (const endless&) {
      that(false, "the walk does not end");
      return;
    }
    that(walked == size, "size() says " + std::to_string(size) + ", a walk finds " + std::to_string(walked));
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

  template <class Key> static std::string text(const Key& key) {
    std::ostringstream out;
    out << key;
    return out.str();
  }

  // Relaxed: a counter that threads add to, read after they have ended.
  std::atomic<int> broken_{0};
};

}  // namespace racelab
