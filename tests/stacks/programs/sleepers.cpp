// One thread crashes while another sleeps and a third spins.
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <thread>

std::atomic<int> at_work{0};

[[gnu::noinline]] void sleep_long() {
  at_work.fetch_add(1);
  std::this_thread::sleep_for(std::chrono::hours(1));
  at_work.fetch_sub(1);
}

[[gnu::noinline]] void spin_long() {
  at_work.fetch_add(1);
  while (at_work.load(std::memory_order_relaxed) > 0) {
  }
}

[[gnu::noinline]] void break_down() {
  while (at_work.load() < 2) {
  }
  std::abort();
}

int main() {
  std::thread sleeper([] { sleep_long(); });
  std::thread spinner([] { spin_long(); });
  break_down();
}
