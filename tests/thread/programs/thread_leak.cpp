// Three threads are neither joined nor detached.
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <string>

std::atomic<pid_t> started{0};

void* nothing(void*) {
  started.store(gettid(), std::memory_order_relaxed);
  return nullptr;
}

// Only threads that have ended are reported.
void wait_for_end() {
  while (started.load(std::memory_order_relaxed) == 0) sched_yield();
  const auto task = "/proc/self/task/" + std::to_string(started.exchange(0, std::memory_order_relaxed));
  while (std::filesystem::exists(task)) sched_yield();
}

void start() {
  pthread_t thread{};
  pthread_create(&thread, nullptr, nothing, nullptr);
  wait_for_end();
}

int main() {
  start();
  for (int i = 0; i < 2; ++i) start();
}
