// A locked map that walks a copy, and makes a new copy for every second walk only: each operation on a key is right,
// but a walk may pass over what is there, or visit what has long gone.
#pragma once

#include <utility>
#include <vector>

#include "fixes/mutex_map.hpp"
#include "sanitizers/annotations/annotated_mutex.hpp"

namespace racelab {

template <class Key, class Value> class stale_walk : public mutex_map<Key, Value> {
 public:
  template <class Visit> void for_each(Visit visit) const {
    const mutex_lock lock(walkers_);
    if (walks_++ % 2 == 0) {
      std::vector<std::pair<Key, Value>> fresh;
      mutex_map<Key, Value>::for_each(
          [&fresh](const Key& key, const Value& value) { fresh.emplace_back(key, value); });
      copy_ = std::move(fresh);
    }
    for (const auto& [key, value] : copy_) visit(key, value);
  }

 private:
  mutable annotated_mutex walkers_;
  mutable unsigned walks_ RACELAB_GUARDED_BY(walkers_) = 0;
  mutable std::vector<std::pair<Key, Value>> copy_ RACELAB_GUARDED_BY(walkers_);
};

}  // namespace racelab
