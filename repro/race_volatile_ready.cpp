// A message is handed over by a volatile flag, which tells the compiler something and other processors nothing.
// race: receive() R vs send() W
// maps: none
// truth: race, no visible harm on x86-64: neither the compiler nor the processor swaps the two stores here
// expect: tsan=report gcc_tsan=report watchpoint=sometimes judge=confirmed
// shown: yes
#include <cstdio>
#include <thread>

namespace {
volatile int message = 0;
volatile bool ready = false;
int received = 0;

void send() {
  message = 42;
  ready = true;
}

void receive() {
  while (!ready) std::this_thread::yield();
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
