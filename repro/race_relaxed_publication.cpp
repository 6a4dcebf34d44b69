// A message is published by a relaxed store and read after a relaxed load: right on x86-64, by its hardware and not by the model.
// race: send() W vs receive() R
// maps: none
// truth: race, ordering only: x86-64 keeps stores in order and loads in order, ARM and POWER need not
// cause: relaxed-order
// expect: tsan=report gcc_tsan=report watchpoint=none judge=ordering-only
// shown: no
#include <atomic>
#include <cstdio>
#include <thread>

namespace {
int message = 0;
std::atomic<bool> ready{false};
int received = 0;

void send() {
  message = 42;
  // Relaxed, wrongly: it should publish the message to the load in receive().
  ready.store(true, std::memory_order_relaxed);
}

void receive() {
  while (!ready.load(std::memory_order_relaxed)) std::this_thread::yield();
  received = message;
}
}  // namespace

int main() {
  std::thread receiver(receive);
  send();
  receiver.join();
  if (received == 42) return 0;
  std::printf("corrupt: received %d\n", received);
  return 1;
}
