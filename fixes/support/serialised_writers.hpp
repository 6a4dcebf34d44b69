// Writers of a snapshot map, one at a time: build, publish, and only then retire.
#pragma once

#include <utility>

#include "fixes/support/snapshot.hpp"
#include "sanitizers/annotations/annotated_mutex.hpp"

namespace racelab {

class serialised_writers {
 public:
  /// Publishes the table that step(current table) returns; false if that is nothing.
  template <class Cell, class Step> bool update(Cell& cell, Step step) {
    const mutex_lock lock(mutex_);
    const auto now = cell.read();
    auto next = step(*now);
    if (!next) return false;
    cell.publish(cell.make(std::move(*next)));
    return true;
  }

 private:
  annotated_mutex mutex_;
};

}  // namespace racelab
