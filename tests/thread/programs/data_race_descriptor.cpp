// A thread writes to a file descriptor that main closes.
#include <fcntl.h>
#include <unistd.h>

#include <thread>

#include "tests/thread/programs/baton.hpp"

baton written;

void log_to(int file) {
  if (write(file, "x", 1) == 1) written.pass();
}

int main() {
  const int file = open("/dev/null", O_WRONLY);
  std::thread logger([file] { log_to(file); });
  written.wait();
  close(file);
  logger.join();
}
