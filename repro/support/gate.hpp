// The start gate: threads that are let go at the same moment.
//
// Relaxed atomics and a spin, on purpose. A barrier, latch or mutex here would order what one thread does
// before the gate with what another does after it, and ThreadSanitizer would rightly stay silent about races
// across it.
#pragma once

#include <array>
#include <atomic>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace racelab {

/// Lets `parties` threads pass together.
class start_gate {
 public:
  explicit start_gate(int parties) : waiting_(parties) {}

  /// Returns once all parties have called it. Orders nothing.
  void pass() {
    waiting_.fetch_sub(1, std::memory_order_relaxed);
    while (waiting_.load(std::memory_order_relaxed) > 0) std::this_thread::yield();
  }

 private:
  std::atomic<int> waiting_;
};

/// Runs body(0) … body(threads - 1), each on a thread of its own, together; returns when all have ended.
template <class Body>
  requires std::is_invocable_v<Body&, int>
void run_together(int threads, Body body) {
  start_gate gate(threads);
  std::vector<std::thread> running;
  for (int i = 0; i < threads; ++i)
    running.emplace_back([&gate, &body, i] {
      gate.pass();
      body(i);
    });
  for (auto& each : running) each.join();
}

/// Runs each of `bodies` on a thread of its own, together; returns when all have ended.
template <class... Bodies>
  requires(std::is_invocable_v<Bodies&> && ...)
void run_together(Bodies... bodies) {
  start_gate gate(sizeof...(bodies));
  std::array<std::thread, sizeof...(bodies)> running{std::thread([&gate, &bodies] {
    gate.pass();
    bodies();
  })...};
  for (auto& each : running) each.join();
}

}  // namespace racelab
