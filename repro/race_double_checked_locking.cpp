// The pointer is tested without the lock before it is tested under it: the outer look races with the store.
// race: instance() R vs instance() W
// maps: none
// truth: race, no visible harm on x86-64: stores keep their order there, so who sees the pointer sees the object
// expect: tsan=report gcc_tsan=report watchpoint=sometimes judge=confirmed
// shown: yes
#include <cstdio>
#include <memory>
#include <mutex>

#include "repro/support/gate.hpp"

namespace {
struct settings {
  int port = 8080;
};
std::unique_ptr<settings> owner;
settings* only = nullptr;
std::mutex lock;

settings& instance() {
  if (only == nullptr) {
    const std::scoped_lock hold(lock);
    if (only == nullptr) {
      owner = std::make_unique<settings>();
      only = owner.get();
    }
  }
  return *only;
}
}  // namespace

int main() {
  int first = 0;
  int second = 0;
  racelab::run_together([&] { first = instance().port; }, [&] { second = instance().port; });
  if (first == 8080 && second == 8080) return 0;
  std::puts("corrupt: an object that is not made yet was used");
  return 1;
}
