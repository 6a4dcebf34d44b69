// Not part of any program: clang is to refuse each marked line, and nothing else (its -verify mode compares).
#include "sanitizers/annotations/annotated_mutex.hpp"

namespace {

class counter {
 public:
  void add() {
    const racelab::mutex_lock lock(mutex_);
    add_locked();
  }
  void add_unlocked() {
    ++count_;  // expected-warning {{writing variable 'count_' requires holding mutex 'mutex_' exclusively}}
    add_locked();  // expected-warning {{calling function 'add_locked' requires holding mutex 'mutex_' exclusively}}
  }
  int look() const {
    return count_;  // expected-warning {{reading variable 'count_' requires holding mutex 'mutex_'}}
  }
  int look_unchecked() const RACELAB_UNCHECKED_LOCKING { return count_; }

 private:
  void add_locked() RACELAB_REQUIRES(mutex_) { ++count_; }

  racelab::annotated_mutex mutex_;
  int count_ RACELAB_GUARDED_BY(mutex_) = 0;
};

}  // namespace

int main() {
  counter one;
  one.add();
  one.add_unlocked();
  return one.look() + one.look_unchecked();
}
