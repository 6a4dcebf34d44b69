// A page is mapped twice: one thread releases a flag by one address, another acquires it by the other.
// maps: none
// truth: no race: it is one flag in one page, and its store is a release that the load acquires
// cause: two-mappings
// expect: tsan=report gcc_tsan=report watchpoint=none judge=likely-false
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <new>
#include <thread>

namespace {
using flag = std::atomic<int>;
int message = 0;
int received = 0;

flag* map_flag(int file) {
  return static_cast<flag*>(mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0));
}

void send(flag* ready) {
  message = 42;
  ready->store(1, std::memory_order_release);  // publishes the message, to the load in receive()
}

void receive(const flag* ready) {
  while (ready->load(std::memory_order_acquire) == 0) std::this_thread::yield();  // pairs with send()'s store
  received = message;
}
}  // namespace

int main() {
  const int file = memfd_create("flag", 0);
  if (ftruncate(file, 4096) != 0) return 0;
  flag* const one = new (map_flag(file)) flag(0);
  const flag* const same = map_flag(file);
  std::thread receiver(receive, same);
  send(one);
  receiver.join();
  if (received == 42) return 0;
  std::printf("corrupt: received %d\n", received);
  return 1;
}
