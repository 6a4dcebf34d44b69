// Two threads on a stage: one is stalled before a chosen access until the other one comes. No sleeps: the stall
// ends when the meeting has taken place.
#pragma once

#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "sanitizers/watchpoint/watchpoint.hpp"
#include "stacks/symbolise.hpp"
#include "stacks/threads.hpp"
#include "tests/watchpoint/instrumented.hpp"

namespace staging {

using namespace racelab;

/// Longer than any test takes: a stall that lasts so long is a failure.
inline constexpr std::uint32_t half_a_minute_us = 30'000'000;

inline std::atomic<std::uintptr_t> stalled_at{0};
inline thread_local bool on_stage = false;  // this thread is stalled at its next access to stalled_at

// True once: at the access that the thread is to be stalled at.
inline bool takes_place(const watch::access& what) {
  return what.address == stalled_at && std::exchange(on_stage, false);
}

inline watch::stall until_met(const watch::access& what, std::uint32_t /*visit*/) {
  if (!takes_place(what)) return {};
  return {.microseconds = half_a_minute_us, .until_hit = true};
}

inline watch::stall for_a_hundred_accesses(const watch::access& what, std::uint32_t /*visit*/) {
  if (!takes_place(what)) return {};
  return {.microseconds = half_a_minute_us, .looks = 100};
}

inline std::mutex records_lock;
inline std::vector<watch::record> records;

inline void keep(const watch::record& each) {
  const std::lock_guard lock(records_lock);
  records.push_back(each);
}

inline void wait_until_stalled(std::uint32_t threads = 1) {
  while (watch::stalled_now() < threads) sched_yield();
}

struct cast {
  std::uint32_t stalled = 0;  // the threads' numbers
  std::uint32_t came = 0;
};

/// Runs `first` on a thread of its own, stalled before its first access that begins at `at`; once it is, `second`
/// on another.
inline cast stage(const void* at, const std::function<void()>& first, const std::function<void()>& second) {
  cast numbers;
  stalled_at = reinterpret_cast<std::uintptr_t>(at);
  std::thread stalled([&] {
    numbers.stalled = stacks::self().id;
    on_stage = true;
    first();
    on_stage = false;
  });
  std::thread came([&] {
    numbers.came = stacks::self().id;
    wait_until_stalled();
    second();
  });
  came.join();
  stalled.join();
  return numbers;
}

/// The same when nobody comes to these bytes: the stall ends after some accesses elsewhere.
inline void stage_without_meeting(const void* at, const std::function<void()>& first,
                                  const std::function<void(std::thread&)>& second) {
  watch::set_decide(for_a_hundred_accesses);
  stalled_at = reinterpret_cast<std::uintptr_t>(at);
  std::atomic<bool> done{false};
  std::thread stalled([&] {
    on_stage = true;
    first();
    done = true;
  });
  wait_until_stalled();
  second(stalled);
  const std::uint64_t elsewhere = 0;
  while (!done) instrumented::read8(&elsewhere);
  stalled.join();
}

inline std::vector<stacks::frame> frames_of(std::span<const std::uintptr_t> pcs) {
  static const stacks::symboliser here(getpid());
  return here.resolve(pcs, false);
}

/// The function around a return address.
inline std::string function_at(std::uintptr_t pc) {
  return stacks::short_name(frames_of(std::span(&pc, 1)).back().function);
}

inline bool names(const stacks::raw_trace& stack, const std::string& function) {
  const auto frames = frames_of(stack.frames());
  return std::ranges::any_of(frames, [&](const stacks::frame& each) {
    return stacks::short_name(each.function).find(function) != std::string::npos;
  });
}

/// Nothing is stalled but on stage, and every record is kept.
class Staged : public testing::Test {
 protected:
  void SetUp() override {
    watch::reset();
    records.clear();
    watch::set_decide(until_met);
    watch::set_on_record(keep);
  }
  void TearDown() override {
    watch::set_decide(nullptr);
    watch::set_on_record(nullptr);
  }

  /// Stages `first` at `at` with `harmless`, which must not be caught, and then an access that must.
  static void expect_not_caught(void* at, const std::function<void()>& first,
                                const std::function<void()>& harmless) {
    stage(at, first, [&] {
      harmless();
      EXPECT_EQ(watch::totals().pairs, 0U);
      instrumented::finish(at);
    });
    ASSERT_EQ(records.size(), 1U);
    EXPECT_EQ(function_at(records[0].came.what.pc), "instrumented::finish(…)");
    EXPECT_EQ(watch::totals().pairs, 1U);
    EXPECT_EQ(watch::totals().changed, 0U);
  }
};

}  // namespace staging
