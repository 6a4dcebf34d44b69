#include "repro/support/uninstrumented/handoff.hpp"

#include <atomic>
#include <thread>

namespace racelab {
namespace {
std::atomic<void*> box{nullptr};
}

void handoff_put(void* value) {
  void* empty = nullptr;
  // Release: publishes what `value` points to, to the exchange in handoff_take().
  while (!box.compare_exchange_weak(empty, value, std::memory_order_release, std::memory_order_relaxed)) {
    empty = nullptr;
    std::this_thread::yield();
  }
}

void* handoff_take() {
  for (;;) {
    // Acquire: pairs with the exchange in handoff_put().
    void* const value = box.exchange(nullptr, std::memory_order_acquire);
    if (value != nullptr) return value;
    std::this_thread::yield();
  }
}

}  // namespace racelab
