// A map behind an interface, so that only the map and its caller are compiled with -fsanitize=thread: a stall in the
// recorder or the checker would be wasted.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/linear/history.hpp"

namespace racelab::linear {

class tested_map {
 public:
  tested_map() = default;
  tested_map(const tested_map&) = delete;
  tested_map& operator=(const tested_map&) = delete;
  virtual ~tested_map() = default;

  /// Calls the operation and stores what came back in it.
  virtual void perform(operation& what) = 0;

  /// What one for_each() visits.
  [[nodiscard]] virtual std::vector<std::pair<int, value>> visited() const = 0;
};

/// The map that the program is built for, empty.
[[nodiscard]] std::unique_ptr<tested_map> make_map();

/// Its name, and what it can do.
[[nodiscard]] std::string map_name();
[[nodiscard]] std::vector<kind> map_operations();

}  // namespace racelab::linear
