// A thread unlocks a mutex that main has locked.
#include <mutex>
#include <thread>

std::mutex guard;

void leave() { guard.unlock(); }

int main() {
  guard.lock();
  std::thread other(leave);
  other.join();
}
