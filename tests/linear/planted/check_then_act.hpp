// A locked map whose compound operations lock twice: once to look and once to act. Each access is under the lock, so
// no race detector has anything to say.
#pragma once

#include "fixes/mutex_map.hpp"

namespace racelab {

template <class Key, class Value> class check_then_act : public mutex_map<Key, Value> {
 public:
  bool insert(const Key& key, const Value& value) {
    if (this->find(key)) return false;
    this->insert_or_assign(key, value);
    return true;
  }

  bool erase_if_equal(const Key& key, const Value& value) {
    return this->find(key) == value && this->erase(key).has_value();
  }
};

}  // namespace racelab
