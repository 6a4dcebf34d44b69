// The race is in a child.
#include <sys/wait.h>
#include <unistd.h>

#include "tests/verdict/programs/counter.hpp"

int main() {
  const pid_t child = fork();
  if (child == 0) {
    long counter = 0;
    racelab::judged::race_on(counter);
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
