// The process ends, in the way that END names, while a thread is stalled. Bytes that the thread was about to touch are
// touched by nobody, but by who comes after it.
#include <pthread.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <thread>

#include "sanitizers/watchpoint/watchpoint.hpp"

namespace {

std::uint64_t touched = 0;

racelab::watch::stall stall_for_long(const racelab::watch::access& what, std::uint32_t /*visit*/) {
  return {.microseconds = what.address == reinterpret_cast<std::uintptr_t>(&touched) ? 3'000'000U : 0U};
}

}  // namespace

int main(int /*count*/, char** arguments) {
  const char* const named = std::getenv("END");
  const std::string_view how = named != nullptr ? named : "";
  if (how == "exec again") {
    std::thread([] { touched = 1; }).join();
    return touched == 1 ? 0 : 1;
  }
  racelab::watch::set_decide(stall_for_long);
  std::thread([] { touched = 1; }).detach();
  while (racelab::watch::stalled_now() == 0) std::this_thread::yield();
  if (how == "exit") std::exit(0);
  if (how == "quick_exit") std::quick_exit(0);
  if (how == "_exit") _exit(0);
  if (how == "pthread_exit") pthread_exit(nullptr);
  setenv("END", "exec again", 1);
  execv("/proc/self/exe", arguments);
  return 1;
}
