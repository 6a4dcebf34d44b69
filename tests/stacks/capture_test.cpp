#include "stacks/capture.hpp"

#include <execinfo.h>
#include <gtest/gtest.h>
#include <malloc.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <thread>
#include <vector>

#include "bench/support/paired.hpp"
#include "stacks/standing.hpp"
#include "stacks/symbolise.hpp"

namespace {

using racelab::stacks::capture;
using racelab::stacks::raw_trace;
using racelab::stacks::short_name;

std::vector<std::string> names_of(const raw_trace& trace) {
  const racelab::stacks::symboliser symbols(getpid());
  std::vector<std::string> names;
  for (const auto& frame : symbols.resolve(trace.frames(), trace.exact_top)) {
    names.push_back(short_name(frame.function));
  }
  return names;
}

[[gnu::noinline]] raw_trace captured_by_callee(unsigned skip) {
  raw_trace trace;
  capture(trace, skip);
  return trace;
}

[[gnu::noinline]] raw_trace captured_by_caller(unsigned skip) { return captured_by_callee(skip); }

TEST(Capture, BeginsWithItsCaller) {
  const auto names = names_of(captured_by_caller(0));
  ASSERT_GE(names.size(), 3U);
  EXPECT_EQ(names[0], "(anonymous namespace)::captured_by_callee(…)");
  EXPECT_EQ(names[1], "(anonymous namespace)::captured_by_caller(…)");
  EXPECT_NE(std::ranges::find(names, "main"), names.end());
}

TEST(Capture, LeavesOutAsManyFramesAsAsked) {
  const auto names = names_of(captured_by_caller(1));
  ASSERT_GE(names.size(), 2U);
  EXPECT_EQ(names[0], "(anonymous namespace)::captured_by_caller(…)");
  EXPECT_EQ(captured_by_caller(1000).size, 0U);
}

// Calls work() from `depth` frames below.
template <typename Work> [[gnu::noinline]] void below(int depth, Work& work) {
  if (depth == 0) {
    work();
  } else {
    below(depth - 1, work);
  }
  asm volatile("" ::: "memory");
}

TEST(Capture, KeepsTheInnermostFramesOfADeepStack) {
  raw_trace trace;
  auto work = [&] { capture(trace); };
  below(1000, work);
  EXPECT_LE(trace.size, racelab::stacks::max_frames);
  EXPECT_GT(trace.size, racelab::stacks::max_frames - 4);
}

TEST(Capture, NeverAllocatesOnceItIsPrepared) {
  racelab::stacks::prepare_capture();
  raw_trace trace;
  auto work = [&] { capture(trace); };
  const auto before = mallinfo2().uordblks;
  below(30, work);
  EXPECT_EQ(mallinfo2().uordblks, before);
  EXPECT_GE(trace.size, 30U);
}

TEST(Capture, WorksInAThreadThatHasNotCapturedBefore) {
  std::vector<std::string> names;
  std::thread([&] { names = names_of(captured_by_caller(0)); }).join();
  ASSERT_GE(names.size(), 2U);
  EXPECT_EQ(names[1], "(anonymous namespace)::captured_by_caller(…)");
}

TEST(CaptureStanding, IsTheSameStackReadByAnotherThreadLater) {
  raw_trace now;
  raw_trace later;
  auto work = [&] {
    racelab::stacks::standing here;
    racelab::stacks::stand(here);
    capture(now);
    std::thread([&] { racelab::stacks::capture_standing(later, here); }).join();
  };
  below(10, work);
  ASSERT_GE(now.size, 11U);
  ASSERT_EQ(later.size, now.size);
  // All but the place in the innermost function itself.
  EXPECT_TRUE(std::equal(later.pcs.begin() + 1, later.pcs.begin() + later.size, now.pcs.begin() + 1));
  EXPECT_FALSE(later.exact_top);
}

raw_trace interrupted;

void keep_interrupted(int /*signal*/, siginfo_t* /*info*/, void* ucontext) {
  racelab::stacks::capture_interrupted(interrupted, ucontext);
}

void handle(int signal_number) {
  struct sigaction action{};
  action.sa_sigaction = keep_interrupted;
  action.sa_flags = SA_SIGINFO;
  ASSERT_EQ(sigaction(signal_number, &action, nullptr), 0);
}

#ifdef __x86_64__
[[gnu::noinline]] void trap() { asm volatile("int3"); }

TEST(CaptureInterrupted, BeginsWithTheInterruptedInstruction) {
  handle(SIGTRAP);
  trap();
  EXPECT_TRUE(interrupted.exact_top);
  const auto names = names_of(interrupted);
  ASSERT_GE(names.size(), 2U);
  EXPECT_EQ(names[0], "(anonymous namespace)::trap()");
  EXPECT_TRUE(names[1].find("BeginsWithTheInterruptedInstruction") != std::string::npos) << names[1];
}
#endif

TEST(CaptureInterrupted, SeesThroughTheSystemCallThatWasInterrupted) {
  handle(SIGUSR1);
  ASSERT_EQ(raise(SIGUSR1), 0);
  const auto names = names_of(interrupted);
  EXPECT_TRUE(std::ranges::any_of(names, [](const std::string& name) {
    return name.find("SeesThroughTheSystemCallThatWasInterrupted") != std::string::npos;
  }));
}

// The bar: a capture costs at most 1.5 times glibc's backtrace. (Median of rounds that take turns.)
TEST(CaptureSpeed, IsNearThatOfBacktrace) {
  constexpr int calls = 500;
  raw_trace trace;
  std::array<void*, 64> addresses{};
  int depth = 0;
  auto ours = [&] {
    for (int i = 0; i < calls; ++i) capture(trace);
  };
  auto theirs = [&] {
    for (int i = 0; i < calls; ++i) depth = backtrace(addresses.data(), static_cast<int>(addresses.size()));
  };
  racelab::bench::paired_ratio ratio;
  auto compare = [&] { ratio = racelab::bench::run(ours, theirs, 61); };
  below(20, compare);
  EXPECT_GE(depth, 20);
  EXPECT_LE(ratio.median, 1.5) << "95 % interval " << ratio.low << " to " << ratio.high;
}

}  // namespace
