// A thread reads through a null pointer, and while that is reported other fatal signals are sent to it.
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <thread>

[[gnu::noinline]] int read_through(const volatile int* nothing) { return *nothing; }

namespace {

// True once the crash handler has started the process that prints.
bool is_reporting(pid_t thread) {
  std::ifstream children("/proc/self/task/" + std::to_string(thread) + "/children");
  pid_t child = 0;
  return static_cast<bool>(children >> child);
}

}  // namespace

int main() {
  std::thread([crashing = gettid()] {
    while (!is_reporting(crashing)) {
    }
    for (const int another : {SIGABRT, SIGSEGV, SIGBUS}) syscall(SYS_tgkill, getpid(), crashing, another);
  }).detach();
  int* volatile nothing = nullptr;
  return read_through(nothing);
}
