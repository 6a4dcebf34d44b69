// A ring between one producer and one consumer, with plain indices and no lock.
// race: put() W vs take() R
// maps: none
// truth: race, no visible harm on x86-64: each index has one writer, and stores are seen there in their order
// expect: tsan=report gcc_tsan=report watchpoint=caught judge=confirmed
// shown: yes
#include <array>
#include <cstddef>
#include <cstdio>
#include <thread>

namespace {
constexpr std::size_t items = 100;
struct {
  std::array<std::size_t, 8> slots{};
  volatile std::size_t head = 0;
  volatile std::size_t tail = 0;
} ring;

void put(std::size_t value) {
  while (ring.head - ring.tail == ring.slots.size()) std::this_thread::yield();
  ring.slots.at(ring.head % ring.slots.size()) = value;
  ring.head = ring.head + 1;
}

std::size_t take() {
  while (ring.head == ring.tail) std::this_thread::yield();
  const std::size_t value = ring.slots.at(ring.tail % ring.slots.size());
  ring.tail = ring.tail + 1;
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
