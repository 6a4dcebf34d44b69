// Compiled once for each map, with -fsanitize=thread.
#include "tests/linear/tested_map.hpp"

#include RACELAB_MAP_HEADER

namespace racelab::linear {
namespace {

/// Two words that are always equal, unless one was read before and the other after somebody's write.
struct twin {
  value first = 0;
  value second = 0;
  bool operator==(const twin&) const = default;
};

twin of(value stored) { return {stored, stored}; }
value from(const twin& read) { return read.first == read.second ? read.first : torn; }
std::optional<value> from(const std::optional<twin>& read) {
  return read ? std::optional<value>(from(*read)) : std::nullopt;
}

using map_type = lab_map<int, twin>;

// The post's own designs have not all of the contract.
template <class Map> constexpr bool has_insert = requires(Map m) { m.insert(0, twin{}); };
template <class Map> constexpr bool has_erase_if_equal = requires(Map m) { m.erase_if_equal(0, twin{}); };
template <class Map> constexpr bool has_clear = requires(Map m) { m.clear(); };

template <class Map> class implementation final : public tested_map {
 public:
  void perform(operation& what) override {
    switch (what.what) {
      case kind::find:
        what.found = from(map_.find(what.key));
        break;
      case kind::insert:
        if constexpr (has_insert<Map>) what.done = map_.insert(what.key, of(what.argument));
        break;
      case kind::insert_or_assign:
        map_.insert_or_assign(what.key, of(what.argument));
        break;
      case kind::erase:
        what.found = from(map_.erase(what.key));
        break;
      case kind::erase_if_equal:
        if constexpr (has_erase_if_equal<Map>) what.done = map_.erase_if_equal(what.key, of(what.argument));
        break;
      case kind::for_each:
        break;
      case kind::clear:
        if constexpr (has_clear<Map>) map_.clear();
        break;
    }
  }

  [[nodiscard]] std::vector<std::pair<int, value>> visited() const override {
    std::vector<std::pair<int, value>> all;
    map_.for_each([&all](int key, const twin& held) { all.emplace_back(key, from(held)); });
    return all;
  }

 private:
  Map map_;
};

}  // namespace

std::unique_ptr<tested_map> make_map() { return std::make_unique<implementation<map_type>>(); }

std::string map_name() { return RACELAB_MAP_NAME; }

std::vector<kind> map_operations() {
  std::vector<kind> able{kind::find, kind::insert_or_assign, kind::erase, kind::for_each};
  if (has_insert<map_type>) able.push_back(kind::insert);
  if (has_erase_if_equal<map_type>) able.push_back(kind::erase_if_equal);
  if (has_clear<map_type>) able.push_back(kind::clear);
  return able;
}

}  // namespace racelab::linear
