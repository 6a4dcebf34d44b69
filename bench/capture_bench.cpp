// What does a stack capture cost, next to glibc's backtrace? Both from the same 26 frames, turn by turn.
#include <benchmark/benchmark.h>
#include <execinfo.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>

#include "bench/support/arguments.hpp"
#include "bench/support/paired.hpp"
#include "stacks/capture.hpp"

namespace {

using racelab::stacks::raw_trace;

constexpr int calls_in_a_round = 2'000;
constexpr std::size_t usual_rounds = 201;
constexpr double bar = 1.5;  // at most so many times glibc's; --check exits 1 beyond it

// Calls work() with about 26 frames on the stack.
template <typename Work> [[gnu::noinline]] void below(int depth, Work& work) {
  if (depth == 0) {
    work();
  } else {
    below(depth - 1, work);
  }
  asm volatile("" ::: "memory");
}

void capture_with_libunwind() {
  raw_trace trace;
  for (int i = 0; i < calls_in_a_round; ++i) {
    racelab::stacks::capture(trace);
    benchmark::DoNotOptimize(trace.size);
  }
}

void capture_with_glibc() {
  std::array<void*, racelab::stacks::max_frames> addresses{};
  for (int i = 0; i < calls_in_a_round; ++i) {
    benchmark::DoNotOptimize(backtrace(addresses.data(), static_cast<int>(addresses.size())));
  }
}

}  // namespace

int main(int argc, char** argv) {
  racelab::bench::arguments given{.rounds = usual_rounds};
  if (const auto end = racelab::bench::read_arguments(
          argc, argv,
          {.name = "capture_bench",
           .asked = "What does a stack capture cost, next to glibc's backtrace?",
           .bar = "exit 1 if it takes more than 1.5 times as long"},
          given))
    return *end;
  racelab::stacks::prepare_capture();
  std::uint32_t frames = 0;
  racelab::bench::paired_ratio ratio;
  auto compare = [&] {
    raw_trace trace;
    racelab::stacks::capture(trace);
    frames = trace.size;
    ratio = racelab::bench::run(capture_with_libunwind, capture_with_glibc, given.rounds);
  };
  below(20, compare);
  std::printf("capture / backtrace, %u frames: %.3f  (95 %% interval %.3f to %.3f, %zu rounds of %d calls)\n",
              frames, ratio.median, ratio.low, ratio.high, given.rounds, calls_in_a_round);
  std::printf("bar %.1f: %s\n", bar, ratio.median <= bar ? "holds" : "does not hold");
  return given.check && ratio.median > bar ? 1 : 0;
}
