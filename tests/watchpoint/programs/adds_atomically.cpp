// A thread adds to a sum by an atomic operation; who has started it reads the sum when it has ended.
#include <cstdint>
#include <thread>

namespace {

std::uint64_t sum = 0;

[[gnu::noinline]] void add_atomically() { __atomic_fetch_add(&sum, 7, __ATOMIC_RELAXED); }
[[gnu::noinline]] bool read_plainly() { return sum == 7; }

}  // namespace

int main() {
  std::thread adder(add_atomically);
  std::thread idle([] {});
  adder.join();
  const bool right = read_plainly();
  idle.join();
  return right ? 0 : 1;
}
