// A thread is stalled until another one comes, and dies by SIGSEGV at its very next step.
#include <cstdint>
#include <thread>

#include "tests/watchpoint/programs/meeting.hpp"

namespace {

[[gnu::noinline]] void read_and_die() {
  may_stall = true;
  auto* volatile nowhere = reinterpret_cast<std::uint64_t*>(met_here);
  *nowhere = 1;
}

[[gnu::noinline]] void write_when_stalled() {
  while (racelab::watch::stalled_now() == 0) std::this_thread::yield();
  met_here = 8;  // no address either
}

}  // namespace

int main() {
  racelab::watch::set_decide(stall_at_meeting);
  std::thread reader(read_and_die);
  write_when_stalled();
  reader.join();
  return 0;
}
