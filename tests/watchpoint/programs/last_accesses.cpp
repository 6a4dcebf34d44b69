// Accesses when main has returned: by static destructors, and by a thread that never ends.
#include <atomic>
#include <cstdint>
#include <string>
#include <thread>

namespace {

std::uint64_t counter = 0;
std::atomic<int> rounds{0};

struct writes_at_exit {
  writes_at_exit() = default;
  writes_at_exit(const writes_at_exit&) = delete;
  writes_at_exit& operator=(const writes_at_exit&) = delete;
  std::string text = "a text that lives on the heap";
  ~writes_at_exit() {
    for (int i = 0; i < 100; ++i) counter = counter + 1;
    text += "and grows";
  }
};
writes_at_exit last;

}  // namespace

int main() {
  std::thread([] {
    for (;; ++rounds) counter = counter + 1;
  }).detach();
  while (rounds < 10) std::this_thread::yield();
  return 0;
}
