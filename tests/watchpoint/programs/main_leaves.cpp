// The main thread ends by pthread_exit; the process ends with the last thread. The runtime's own threads must not keep
// it.
#include <pthread.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <thread>

namespace {

std::uint64_t touched = 0;

[[gnu::noinline]] void work() {
  for (int i = 0; i < 1000; ++i) touched = touched + 1;
}

}  // namespace

int main() {
  std::atexit([] { _exit(touched == 1000 ? 7 : 1); });
  std::thread(work).detach();
  pthread_exit(nullptr);
}
