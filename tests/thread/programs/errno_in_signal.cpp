// A signal handler changes errno while its thread is somewhere else.
#include <sys/time.h>

#include <cerrno>
#include <csignal>

#include "tests/thread/programs/baton.hpp"

baton handled;

void on_signal(int) {
  errno = EBUSY;
  handled.pass();
}

int main() {
  struct sigaction action{};
  action.sa_handler = on_signal;
  sigaction(SIGPROF, &action, nullptr);
  itimerval soon{};
  soon.it_value.tv_usec = 1000;
  setitimer(ITIMER_PROF, &soon, nullptr);
  handled.wait();
}
