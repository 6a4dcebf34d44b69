// A thread runs out of stack.
#include <thread>

[[gnu::noinline]] int dig(int depth) {
  volatile int hole[256] = {depth};
  return depth < 0 ? 0 : dig(hole[0] + 1) + hole[0];
}

int main() {
  std::thread digger([] { return dig(0) == 0; });
  digger.join();
}
