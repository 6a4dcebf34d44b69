// A ring between one producer and one consumer, with atomic indices.
// maps: none
// truth: no race: a slot is published by the head and given back by the tail
// expect: tsan=clean gcc_tsan=clean watchpoint=none judge=no-report
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdio>
#include <thread>

namespace {
constexpr std::size_t items = 100;
std::array<std::size_t, 8> slots{};
std::atomic<std::size_t> head{0};
std::atomic<std::size_t> tail{0};

void put(std::size_t value) {
  const std::size_t at = head.load(std::memory_order_relaxed);  // its only writer is this thread
  // Acquire: pairs with take()'s store, which gives the slot back.
  while (at - tail.load(std::memory_order_acquire) == slots.size()) std::this_thread::yield();
  slots.at(at % slots.size()) = value;
  head.store(at + 1, std::memory_order_release);  // publishes the slot, to the load in take()
}

std::size_t take() {
  const std::size_t at = tail.load(std::memory_order_relaxed);  // its only writer is this thread
  // Acquire: pairs with put()'s store.
  while (head.load(std::memory_order_acquire) == at) std::this_thread::yield();
  const std::size_t value = slots.at(at % slots.size());
  tail.store(at + 1, std::memory_order_release);  // gives the slot back, to the load in put()
  return value;
}
}  // namespace

int main() {
  std::size_t sum = 0;
  std::thread consumer([&] {
    for (std::size_t i = 0; i < items; ++i) sum += take();
  });
  for (std::size_t i = 0; i < items; ++i) put(i);
  consumer.join();
  if (sum == items * (items - 1) / 2) return 0;
  std::puts("corrupt: an item came twice or not at all");
  return 1;
}
