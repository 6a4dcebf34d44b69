#include "sanitizers/watchpoint/perturb.hpp"

#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "sanitizers/watchpoint/runtime.hpp"
#include "stacks/threads.hpp"

namespace racelab::watch {
namespace {

constinit std::atomic<bool> pacemaker_started{false};
constinit tick_function on_tick = nullptr;
constinit std::uint64_t milliseconds = 0;  // the pacemaker's, which stretch where processors are few
constinit std::uint64_t churn_seed = 0;

// Straight to libc: the interposed pthread_create would count this thread as one of the program's. It takes
// no signals, so that the program's handlers run where they would without it.
void start(void* (*run)(void*)) noexcept {
  using create = int (*)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
  void* symbol = dlsym(RTLD_NEXT, "pthread_create");
  if (symbol == nullptr) symbol = dlsym(RTLD_DEFAULT, "pthread_create");
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_t thread{};
  // Without the thread the program still runs, only with fewer stalls.
  if (reinterpret_cast<create>(symbol)(&thread, nullptr, run, nullptr) == 0) pthread_detach(thread);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

// Both end with the program's last thread: a process whose main thread has called pthread_exit ends when no
// thread is left.
bool program_runs() noexcept { return stacks::live_threads() != 0; }

void* run_pacemaker(void* /*unused*/) {
  constexpr long period_ms = 5;  // a wake-up costs as much as a short stall
  const timespec period{.tv_sec = 0, .tv_nsec = period_ms * 1'000'000};
  while (program_runs()) {
    clock_nanosleep(CLOCK_MONOTONIC, 0, &period, nullptr);
    on_tick(milliseconds += period_ms);
  }
  // Release: the next one, if there is a last-minute thread that wants it, goes on counting.
  pacemaker_started.store(false, std::memory_order_release);
  return nullptr;
}

// Blocks of many sizes come and go, and every 64th time the heap's top is given back, so that freed memory is
// soon somebody else's, or nobody's.
void* run_churn(void* /*unused*/) {
  ignore_this_thread();
  std::array<void*, 512> blocks{};
  std::uint64_t state = churn_seed | 1U;
  for (unsigned round = 1; program_runs(); ++round) {
    for (auto& block : blocks) {
      state = state * 6364136223846793005U + 1442695040888963407U;
      std::free(block);
      const std::size_t size = 16U << (state >> 61U);
      block = std::malloc(size);
      if (block != nullptr) std::memset(block, static_cast<int>(state >> 40U), size);
    }
    if (round % 64 == 0) malloc_trim(0);
    sched_yield();
  }
  return nullptr;
}

}  // namespace

void start_pacemaker(tick_function tick) noexcept {
  // Acquire: pairs with the release at an earlier pacemaker's end.
  if (pacemaker_started.load(std::memory_order_relaxed) ||
      pacemaker_started.exchange(true, std::memory_order_acquire))
    return;
  on_tick = tick;
  start(run_pacemaker);
}

void forget_pacemaker() noexcept { pacemaker_started.store(false, std::memory_order_relaxed); }

void start_heap_churn(std::uint64_t seed) noexcept {
  churn_seed = seed;
  start(run_churn);
}

}  // namespace racelab::watch
