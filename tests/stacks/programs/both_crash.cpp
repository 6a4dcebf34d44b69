// Two threads crash at the same time.
#include <atomic>
#include <thread>

[[gnu::noinline]] void write_through(volatile int* nothing) { *nothing = 1; }

int main() {
  std::atomic<int> ready{0};
  const auto crash = [&ready] {
    int* volatile nothing = nullptr;
    ready.fetch_add(1);
    while (ready.load() < 2) {
    }
    write_through(nothing);
  };
  std::thread first(crash);
  std::thread second(crash);
  first.join();
  second.join();
}
