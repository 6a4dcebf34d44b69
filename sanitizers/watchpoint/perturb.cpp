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

namespace racelab::watch {
namespace {

constinit std::atomic<bool> pacemaker_started{false};
constinit std::atomic<std::uint32_t> ticks{1};
using tick_function = void (*)(std::uint32_t);
constinit tick_function on_tick = nullptr;
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

void* run_pacemaker(void* /*unused*/) {
  const timespec period{.tv_sec = 0, .tv_nsec = 1'000'000};
  for (;;) {
    clock_nanosleep(CLOCK_MONOTONIC, 0, &period, nullptr);
    on_tick(ticks.fetch_add(1, std::memory_order_relaxed) + 1);
  }
}

// Blocks of many sizes come and go, and every 64th time the heap's top is given back, so that freed memory is
// soon somebody else's, or nobody's.
void* run_churn(void* /*unused*/) {
  std::array<void*, 512> blocks{};
  std::uint64_t state = churn_seed | 1U;
  for (unsigned round = 1;; ++round) {
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
}

}  // namespace

void start_pacemaker(tick_function tick) noexcept {
  if (pacemaker_started.load(std::memory_order_relaxed) ||
      pacemaker_started.exchange(true, std::memory_order_relaxed))
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
