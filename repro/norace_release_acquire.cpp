// A message is published by a release store and read after an acquire load.
// maps: none
// truth: no race: the load that sees the store synchronises with it
// expect: tsan=clean gcc_tsan=clean watchpoint=none judge=no-report
#include <atomic>
#include <cstdio>
#include <thread>

namespace {
int message = 0;
std::atomic<bool> ready{false};
int received = 0;

void send() {
  message = 42;
  ready.store(true, std::memory_order_release);  // publishes the message, to the load in receive()
}

void receive() {
  while (!ready.load(std::memory_order_acquire)) std::this_thread::yield();  // pairs with send()'s store
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
