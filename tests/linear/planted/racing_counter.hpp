// A locked map that counts its lookups without the lock: every result is right, and yet there is a data race.
#pragma once

#include <cstddef>
#include <optional>

#include "fixes/mutex_map.hpp"

namespace racelab {

template <class Key, class Value> class racing_counter : public mutex_map<Key, Value> {
 public:
  std::optional<Value> find(const Key& key) const {
    ++lookups_;
    return mutex_map<Key, Value>::find(key);
  }

 private:
  mutable std::size_t lookups_ = 0;
};

}  // namespace racelab
