// The last reference is dropped by a release decrement, and an acquire fence stands before the deletion, as the books have it.
// maps: none
// truth: no race: each decrement is a release that the fence of the last one acquires
// cause: fence
// expect: tsan=report gcc_tsan=sometimes watchpoint=none judge=ordering-only
#include <atomic>
#include <cstdio>

#include "repro/support/gate.hpp"

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wtsan"  // what this program is about: g++ says it at compile time
#endif

namespace {
std::atomic<int> wrong{0};

struct counted {
  std::atomic<int> references{2};
  int value = 7;
};

void use_and_release(counted* object) {
  if (object->value != 7) wrong.fetch_add(1, std::memory_order_relaxed);
  // Release: publishes the use above to the fence of whoever comes to zero.
  if (object->references.fetch_sub(1, std::memory_order_release) == 1) {
    std::atomic_thread_fence(std::memory_order_acquire);  // pairs with all other decrements
    delete object;
  }
}
}  // namespace

int main() {
  for (int round = 0; round < 5; ++round) {
    auto* const shared = new counted;
    racelab::run_together([&] { use_and_release(shared); }, [&] { use_and_release(shared); });
  }
  if (wrong.load() == 0) return 0;
  std::puts("corrupt: an object was used after its last release");
  return 1;
}
