// Two threads with the smallest stacks that pthread_create takes are caught, and their record is written.
#include <limits.h>
#include <pthread.h>
#include <sched.h>

#include <cstdint>

#include "tests/watchpoint/programs/meeting.hpp"

namespace {

void* wait_here(void* /*unused*/) {
  may_stall = true;
  met_here = 1;
  return nullptr;
}

void* come(void* /*unused*/) {
  while (racelab::watch::stalled_now() == 0) sched_yield();
  met_here = 2;
  return nullptr;
}

}  // namespace

int main() {
  racelab::watch::set_decide(stall_at_meeting);
  pthread_attr_t small;
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, static_cast<std::size_t>(PTHREAD_STACK_MIN));
  pthread_t one{};
  pthread_t two{};
  if (pthread_create(&one, &small, wait_here, nullptr) != 0) return 1;
  if (pthread_create(&two, &small, come, nullptr) != 0) return 1;
  pthread_join(one, nullptr);
  pthread_join(two, nullptr);
  return racelab::watch::totals().pairs == 1 ? 0 : 1;
}
