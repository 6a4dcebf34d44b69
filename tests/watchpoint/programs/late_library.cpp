// Two threads are caught, then a library is opened, then they are caught again elsewhere.
#include <dlfcn.h>

#include <cstdint>
#include <thread>

#include "tests/watchpoint/programs/meeting.hpp"

namespace {

[[gnu::noinline]] void before_opening() { met_here = 1; }
[[gnu::noinline]] void after_opening() { met_here = 2; }

void meet(void (*write)()) {
  std::thread stalled([write] {
    may_stall = true;
    write();
  });
  while (racelab::watch::stalled_now() == 0) std::this_thread::yield();
  write();
  stalled.join();
}

}  // namespace

int main() {
  racelab::watch::set_decide(stall_at_meeting);
  meet(before_opening);
  void* const library = dlopen(LATE_MODULE, RTLD_NOW);
  if (library == nullptr) return 1;
  const auto answer = reinterpret_cast<int (*)()>(dlsym(library, "late_answer"));
  meet(after_opening);
  return answer != nullptr && answer() == 42 ? 0 : 1;
}
