// A message is published by a fence and a relaxed store, and read after a relaxed load and a fence.
// maps: none
// truth: no race: a release fence before the store and an acquire fence after the load that sees it synchronise
// cause: fence
// expect: tsan=report gcc_tsan=report watchpoint=none judge=ordering-only
#include <atomic>
#include <cstdio>
#include <thread>

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wtsan"  // what this program is about: g++ says it at compile time
#endif

namespace {
int message = 0;
std::atomic<bool> ready{false};
int received = 0;

void send() {
  message = 42;
  std::atomic_thread_fence(std::memory_order_release);  // publishes the message, to the fence in receive()
  ready.store(true, std::memory_order_relaxed);
}

void receive() {
  while (!ready.load(std::memory_order_relaxed)) std::this_thread::yield();
  std::atomic_thread_fence(std::memory_order_acquire);  // pairs with the fence in send()
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
