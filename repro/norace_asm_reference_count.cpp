// Who counts the references down to zero deletes the object: the count is kept by inline assembly, as Qt and Boost once did.
// maps: none
// truth: no race: lock xadd orders every use before the last release
// cause: asm-lock
// expect: tsan=report gcc_tsan=sometimes watchpoint=none judge=likely-false
#include <atomic>
#include <cstdio>

#include "repro/support/gate.hpp"

namespace {
std::atomic<int> wrong{0};

struct counted {
  int references = 2;
  int value = 7;

  int add(int count) {
    asm volatile("lock; xaddl %0, %1" : "+r"(count), "+m"(references)::"memory");
    return count;  // as it was before
  }

  void release() {
    if (add(-1) == 1) delete this;
  }
};

void use(counted* object) {
  if (object->value != 7) wrong.fetch_add(1, std::memory_order_relaxed);
  object->release();
}
}  // namespace

int main() {
  for (int round = 0; round < 5; ++round) {
    auto* const shared = new counted;
    racelab::run_together([&] { use(shared); }, [&] { use(shared); });
  }
  if (wrong.load() == 0) return 0;
  std::puts("corrupt: an object was used after its last release");
  return 1;
}
