#include "sanitizers/verdict/mechanism.hpp"

#include <gtest/gtest.h>

namespace {

using namespace racelab::verdict;
using racelab::stacks::frame;

constexpr auto program = "/home/user/server.watch";
constexpr auto libc = "/lib/x86_64-linux-gnu/libc.so.6";

frame in(const std::string& module, const std::string& function) {
  frame result;
  result.module = module;
  result.function = function;
  return result;
}

mechanism of(const std::vector<frame>& stack, const std::string& called = "") {
  return mechanism_of(stack, program, [&](const frame& /*caller*/) { return called; });
}

TEST(Mechanism, SpinInTheProgramItself) {
  const mechanism found = of({in(program, "spin_lock::lock()"), in(program, "worker(int)")});
  EXPECT_EQ(found.what, sight::hidden);
  EXPECT_EQ(found.cause, "asm-lock");
  EXPECT_EQ(found.detail, "spin_lock::lock()");
}

TEST(Mechanism, SpinThatYields) {
  EXPECT_EQ(of({in(libc, "__sched_yield"), in(program, "lock()")}).cause, "asm-lock");
}

TEST(Mechanism, RawSystemCall) {
  const mechanism found = of({in(libc, "syscall"), in(program, "futex_mutex::lock()")});
  EXPECT_EQ(found.what, sight::hidden);
  EXPECT_EQ(found.cause, "raw-syscall");
}

TEST(Mechanism, LocksThatThreadSanitizerKnows) {
  EXPECT_EQ(
      of({in(libc, "futex_wait"), in(libc, "pthread_mutex_lock@@GLIBC_2.2.5"), in(program, "f()")}).what,
      sight::seen);
  EXPECT_EQ(of({in(libc, "pthread_cond_wait"), in("/lib/libstdc++.so.6", "std::condition_variable::wait"),
                in(program, "f()")})
                .what,
            sight::seen);
  EXPECT_EQ(of({in(program, "__tsan_atomic32_load"), in(program, "f()")}).what, sight::seen);
  EXPECT_EQ(of({in(libc, "read"), in(program, "f()")}).what, sight::seen);
}

TEST(Mechanism, LocksWithAClockThatItDoesNot) {
  const mechanism found =
      of({in(libc, "__futex_abstimed_wait64"), in(libc, "pthread_mutex_clocklock"), in(program, "f()")});
  EXPECT_EQ(found.what, sight::hidden);
  EXPECT_EQ(found.cause, "clock-lock");
}

TEST(Mechanism, WhatIsCalledOfLibcCounts) {
  const mechanism found =
      of({in(libc, "futex_wait"), in(libc, "pthread_mutex_lock"), in(libc, "mtx_lock"), in(program, "f()")});
  EXPECT_EQ(found.what, sight::hidden);
  EXPECT_EQ(found.cause, "unintercepted-call");
  EXPECT_EQ(found.detail, "mtx_lock");
}

TEST(Mechanism, WhatTheCodeCallsCountsWhereLibcHasNoName) {
  const std::vector<frame> stack{in(libc, ""), in(program, "take()"), in(program, "worker()")};
  EXPECT_EQ(of(stack, "sem_clockwait").cause, "clock-lock");
  EXPECT_EQ(of(stack, "sem_wait").what, sight::seen);
}

TEST(Mechanism, CodeOfTheStandardLibraryIsNobodys) {
  frame inlined = in(program, "__gthread_yield()");
  inlined.file = "/usr/include/x86_64-linux-gnu/c++/12/bits/gthr-default.h";
  EXPECT_EQ(of({in(libc, "sched_yield"), inlined, in(program, "receive()")}).detail, "receive()");
}

TEST(Mechanism, PollingPlainMemoryIsARaceItself) {
  EXPECT_EQ(of({in(program, "racelab::watch::look(racelab::watch::access const&)"),
                in(program, "__tsan_read4"), in(program, "f()")})
                .what,
            sight::racy);
}

TEST(Mechanism, Libraries) {
  EXPECT_EQ(of({in("/usr/lib/libgomp.so.1", "gomp_mutex_lock_slow"), in(program, "f()")}).cause, "openmp");
  EXPECT_EQ(
      of({in(libc, "syscall"), in("/usr/lib/llvm-19/lib/libomp.so.5", "__kmp_acquire"), in(program, "f()")})
          .cause,
      "openmp");
  const mechanism glib =
      of({in(libc, "syscall"), in("/usr/lib/libglib-2.0.so.0", "g_mutex_lock"), in(program, "f()")});
  EXPECT_EQ(glib.cause, "uninstrumented-library");
  EXPECT_EQ(glib.detail, "libglib-2.0.so.0, g_mutex_lock");
}

TEST(Mechanism, SleepIsNoWait) {
  EXPECT_EQ(of({in(libc, "clock_nanosleep"), in(program, "f()")}).what, sight::unknown);
  EXPECT_EQ(of({}).what, sight::unknown);
}

TEST(Mechanism, KnownOrderOutweighsHiddenOnes) {
  const mechanism hidden{.what = sight::hidden, .cause = "asm-lock", .detail = "lock"};
  const mechanism seen{.what = sight::seen, .cause = "lock", .detail = "pthread_mutex_lock"};
  EXPECT_EQ(common_mechanism({hidden, hidden, seen}).what, sight::seen);
  EXPECT_EQ(common_mechanism({hidden, {}, hidden}).cause, "asm-lock");
  EXPECT_EQ(common_mechanism({{}, {}}).what, sight::unknown);
  const mechanism library{
      .what = sight::hidden, .cause = "uninstrumented-library", .detail = "libqueue.so, pop"};
  EXPECT_EQ(common_mechanism({hidden, library, hidden}).cause, "uninstrumented-library")
      << "it polls a queue";
  const mechanism polling{.what = sight::racy, .cause = "plain-flag", .detail = ""};
  EXPECT_EQ(common_mechanism({polling, hidden, polling}).what, sight::racy);
  EXPECT_EQ(common_mechanism({polling, hidden, hidden}).what, sight::unknown) << "it was once at other work";
}

}  // namespace
