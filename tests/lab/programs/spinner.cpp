// Hangs: one thread spins while main waits for it. On SIGABRT the thread that got it says which one it is.
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <string_view>
#include <thread>

namespace {

std::atomic<pid_t> spinner{0};

void say(std::string_view text) {
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, text.data(), text.size());
}

void on_abort(int /*number*/) {
  say(gettid() == spinner ? "the spinning thread\n" : "another thread\n");
  _exit(3);
}

}  // namespace

int main() {
  std::signal(SIGABRT, on_abort);
  std::thread thread([] {
    spinner = gettid();
    while (spinner != 0) {
    }
  });
  thread.join();
}
