// A map behind an interface, so that in the programs linear.NAME only the map and its caller are compiled with
// -fsanitize=thread: a stall in the recorder or the checker would be wasted.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "tests/linear/history.hpp"

namespace racelab::linear {

class tested_map {
 public:
  tested_map() = default;
  tested_map(const tested_map&) = delete;
  tested_map& operator=(const tested_map&) = delete;
  virtual ~tested_map() = default;

  /// What the map can do: the post's own designs have not all of the contract.
  [[nodiscard]] virtual std::vector<kind> operations() const = 0;

  /// Calls any of operations() but for_each() and stores what came back in `what`.
  virtual void perform(operation& what) = 0;

  /// What one for_each() visits.
  [[nodiscard]] virtual std::vector<std::pair<int, value>> visited() const = 0;
};

/// Two words that are always equal, unless one was read before and the other after somebody's write.
struct twin {
  value first = 0;
  value second = 0;
  bool operator==(const twin&) const = default;
};

template <class Map> class tested final : public tested_map {
 public:
  [[nodiscard]] std::vector<kind> operations() const override {
    std::vector<kind> able{kind::find, kind::insert_or_assign, kind::erase, kind::for_each};
    if (has_insert) able.push_back(kind::insert);
    if (has_erase_if_equal) able.push_back(kind::erase_if_equal);
    if (has_clear) able.push_back(kind::clear);
    return able;
  }

  void perform(operation& what) override {
    const twin argument{what.argument, what.argument};
    switch (what.what) {
      case kind::find:
        what.found = whole(map_.find(what.key));
        break;
      case kind::insert:
        if constexpr (has_insert) what.done = map_.insert(what.key, argument);
        break;
      case kind::insert_or_assign:
        map_.insert_or_assign(what.key, argument);
        break;
      case kind::erase:
        what.found = whole(map_.erase(what.key));
        break;
      case kind::erase_if_equal:
        if constexpr (has_erase_if_equal) what.done = map_.erase_if_equal(what.key, argument);
        break;
      case kind::for_each:
        break;
      case kind::clear:
        if constexpr (has_clear) map_.clear();
        break;
    }
  }

  [[nodiscard]] std::vector<std::pair<int, value>> visited() const override {
    std::vector<std::pair<int, value>> all;
    map_.for_each([&all](int key, const twin& held) { all.emplace_back(key, *whole(held)); });
    return all;
  }

 private:
  static constexpr bool has_insert = requires(Map m) { m.insert(0, twin{}); };
  static constexpr bool has_erase_if_equal = requires(Map m) { m.erase_if_equal(0, twin{}); };
  static constexpr bool has_clear = requires(Map m) { m.clear(); };

  /// A map that splits hot shards does so when it has seen much more than a history has, unless it is told to hurry.
  static Map fresh() {
    if constexpr (requires(typename Map::options chosen) { chosen.shard_bits + chosen.window; }) {
      typename Map::options hurried;
      hurried.shard_bits = 0;
      hurried.window = 16;
      return Map(hurried);
    } else {
      return Map();
    }
  }

  static std::optional<value> whole(const std::optional<twin>& read) {
    if (!read) return std::nullopt;
    return read->first == read->second ? read->first : torn;
  }

  Map map_ = fresh();
};

}  // namespace racelab::linear
