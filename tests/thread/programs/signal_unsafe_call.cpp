// A signal handler allocates memory.
#include <csignal>
#include <cstdlib>

void* volatile kept;

void on_signal(int) { kept = std::malloc(1); }

int main() {
  struct sigaction action{};
  action.sa_handler = on_signal;
  sigaction(SIGPROF, &action, nullptr);
  raise(SIGPROF);
  std::free(kept);
}
