#include "serve/bare.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <random>
#include <thread>
#include <vector>

namespace racelab::serve {
namespace {

constexpr std::size_t changing_keys = 100;
constexpr std::size_t steps = 8192;  // drawn beforehand: drawing is not what is timed

struct step {
  enum { get, put, erase } what;
  std::string key;
};

std::vector<step> steps_of(unsigned thread, std::size_t keys) {
  std::mt19937_64 random(thread);
  std::vector<step> all;
  all.reserve(steps);
  for (std::size_t i = 0; i < steps; ++i) {
    const auto share = random() % 100;
    if (share < 95)
      all.push_back({step::get, mix_key(random() % keys)});
    else
      all.push_back({share < 98 ? step::put : step::erase, mix_key(keys + random() % changing_keys)});
  }
  return all;
}

}  // namespace

std::string mix_key(std::size_t i) { return "key-" + std::to_string(i); }

void preload(store& into, std::size_t keys) {
  for (std::size_t i = 0; i < keys; ++i) into.put(mix_key(i), "value-" + std::to_string(i));
}

double bare_throughput(store& on, std::size_t keys, unsigned threads, double seconds) {
  std::atomic<unsigned> ready{0};
  std::atomic<bool> go{false};
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> operations{0};
  std::vector<std::jthread> running;
  running.reserve(threads);
  for (unsigned thread = 0; thread < threads; ++thread)
    running.emplace_back([&, thread] {
      const std::vector<step> mine = steps_of(thread, keys);
      const std::string value = "value-of-" + std::to_string(thread);
      ready.fetch_add(1);
      while (!go.load()) std::this_thread::yield();
      std::uint64_t done = 0;
      // Relaxed: it tells when to end, and publishes nothing.
      for (std::size_t at = 0; !stop.load(std::memory_order_relaxed); at = (at + 1) % steps, ++done) {
        const step& now = mine[at];
        if (now.what == step::get) {
          const auto found = on.get(now.key);
          // The compiler can't see what get() does, so it can't leave it out.
          static_cast<void>(found);
        } else if (now.what == step::put) {
          on.put(now.key, value);
        } else {
          on.erase(now.key);
        }
      }
      operations.fetch_add(done);
    });
  while (ready.load() != threads) std::this_thread::yield();
  const auto start = std::chrono::steady_clock::now();
  go.store(true);
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  stop.store(true);
  running.clear();  // joins: the last operation of each counts, and so does its time
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  return static_cast<double>(operations.load()) / took.count();
}

}  // namespace racelab::serve
