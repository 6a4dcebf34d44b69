// Looks once whether another thread has done its part, which has had time enough, and waits for ever if not: a stall makes it hang.
#include <unistd.h>

#include <chrono>
#include <thread>

namespace {
int ready = 0;

void look() {
  const auto start = std::chrono::steady_clock::now();
  while (std::chrono::steady_clock::now() - start < std::chrono::milliseconds(30)) continue;
  if (ready == 0) pause();
}

void do_its_part() { ready = 1; }
}  // namespace

int main() {
  std::thread other(look);
  do_its_part();
  other.join();
  return 0;
}
