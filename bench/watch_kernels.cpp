// What watch_bench times, one kernel in a process: memory-heavy work of a kind that programs do.
//
//   watch_kernels.KIND KERNEL THREADS      prints the seconds that it took and the peak of resident memory in kilobytes
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <numeric>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#ifdef WITH_WRITE_FLAG
#include "sanitizers/write_flag/checked.hpp"
#endif

namespace {

#ifdef WITH_WRITE_FLAG
template <class Key, class Value> using hash_map = racelab::checked<std::unordered_map<Key, Value>>;
#else
template <class Key, class Value> using hash_map = std::unordered_map<Key, Value>;
#endif
using numbers = std::vector<std::uint64_t>;

// Fixed, so that each process has the same numbers.
std::uint64_t next(std::uint64_t& state) {
  state = state * 6364136223846793005U + 1442695040888963407U;
  return state >> 33U;
}

// Each kernel has what all threads share, and a part for each thread; the result keeps the compiler from leaving it out.
struct stream {
  static std::uint64_t run(unsigned /*thread*/) {
    numbers a(1U << 20U, 1);
    numbers b(1U << 20U, 2);
    for (int round = 0; round < 8; ++round)
      for (std::size_t i = 0; i < a.size(); ++i) a[i] += 3 * b[i];
    return std::accumulate(a.begin(), a.end(), std::uint64_t{0});
  }
};

// Walks a ring that visits 8 MB in random order.
struct chase {
  numbers ring;
  chase() : ring(1U << 20U) {
    numbers order(ring.size());
    std::iota(order.begin(), order.end(), 0U);
    std::uint64_t state = 1;
    for (std::size_t i = order.size() - 1; i > 0; --i) std::swap(order[i], order[next(state) % i]);
    for (std::size_t i = 0; i < order.size(); ++i) ring[order[i]] = order[(i + 1) % order.size()];
  }
  std::uint64_t run(unsigned thread) const {
    std::uint64_t at = thread;
    for (int i = 0; i < 2'000'000; ++i) at = ring[at];
    return at;
  }
};

struct sort {
  static std::uint64_t run(unsigned thread) {
    numbers values(400'000);
    std::uint64_t state = thread;
    for (std::uint64_t& each : values) each = next(state);
    std::ranges::sort(values);
    return values.front();
  }
};

struct own_map {
  static std::uint64_t run(unsigned thread) {
    hash_map<std::uint64_t, std::uint64_t> map;
    std::uint64_t state = thread;
    for (int i = 0; i < 600'000; ++i) {
      const std::uint64_t key = next(state) % 50'000;
      if (i % 4 == 3)
        map.erase(key);
      else
        map[key] += key;
    }
    return map.size();
  }
};

// Keys of which all begin alike: many comparisons of strings, much copying.
struct strings {
  static std::uint64_t run(unsigned thread) {
    hash_map<std::string, std::string> map;
    std::uint64_t state = thread;
    for (int i = 0; i < 200'000; ++i) {
      const std::string key = "a key that lives on the heap " + std::to_string(next(state) % 5'000);
      if (i % 4 == 3)
        map.erase(key);
      else
        map[key] = key;
    }
    return map.size();
  }
};

// One map for all, under a lock.
struct locked_map {
  std::mutex lock;
  hash_map<std::uint64_t, std::uint64_t> map;
  std::uint64_t run(unsigned thread) {
    std::uint64_t state = thread;
    for (int i = 0; i < 300'000; ++i) {
      const std::uint64_t key = next(state) % 50'000;
      const std::lock_guard guard(lock);
      map[key] += key;
    }
    return 1;
  }
};

template <class Kernel> double seconds(unsigned threads) {
  Kernel kernel;
  std::atomic<std::uint64_t> result{0};
  const auto start = std::chrono::steady_clock::now();
  // Always in a program that has had a second thread: with one alone the runtimes may do less.
  std::vector<std::thread> running;
  for (unsigned i = 1; i <= threads; ++i) running.emplace_back([&, i] { result += kernel.run(i); });
  for (std::thread& each : running) each.join();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  if (result == 0) std::puts("nothing done");
  return took.count();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const std::string_view kernel = argv[1];
  const auto threads = static_cast<unsigned>(std::strtoul(argv[2], nullptr, 10));
  double took = 0;
  if (kernel == "stream")
    took = seconds<stream>(threads);
  else if (kernel == "chase")
    took = seconds<chase>(threads);
  else if (kernel == "sort")
    took = seconds<sort>(threads);
  else if (kernel == "own_map")
    took = seconds<own_map>(threads);
  else if (kernel == "strings")
    took = seconds<strings>(threads);
  else if (kernel == "locked_map")
    took = seconds<locked_map>(threads);
  else
    return 2;
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  std::printf("%.9f %ld\n", took, used.ru_maxrss);
  return 0;
}
