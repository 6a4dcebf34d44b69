// Its third run leaves a process in a session of its own, interrupts who started it, and hangs. Each run writes the number of its
// process into the file that is named.
#include <signal.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <string>

namespace {

void note_process(const char* file) { std::ofstream(file, std::ios::app) << getpid() << '\n'; }

long lines_of(const char* file) {
  std::ifstream in(file);
  long count = 0;
  for (std::string line; std::getline(in, line);) ++count;
  return count;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 4;
  note_process(argv[1]);
  if (lines_of(argv[1]) < 3) return 0;
  std::array<int, 2> noted{};
  if (pipe(noted.data()) != 0) return 5;
  if (fork() == 0) {
    setsid();
    note_process(argv[1]);
    close(noted[0]);
    close(noted[1]);
    while (true) pause();
  }
  close(noted[1]);
  char nothing = 0;
  while (read(noted[0], &nothing, 1) > 0) continue;  // until the child has closed its end
  kill(getppid(), SIGINT);
  while (true) pause();
}
