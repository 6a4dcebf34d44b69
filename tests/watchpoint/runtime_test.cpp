// What the runtime is put through by real programs: many threads, forks, ends of threads, full tables.
#include <pthread.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>

#include "tests/watchpoint/staging.hpp"

extern "C" void __tsan_write8_pc(void* at, void* pc);

namespace {

using namespace staging;

class Runtime : public Staged {
 protected:
  std::uint64_t value_ = 0;
};

TEST_F(Runtime, GoesOnWithoutAWatchpointWhenTheTableIsFull) {
  constexpr std::size_t places = 64;
  constexpr std::size_t more = 8;
  static std::array<std::uint64_t, places + more> values{};
  watch::set_decide([](const watch::access& what, std::uint32_t) -> watch::stall {
    const auto first = reinterpret_cast<std::uintptr_t>(values.data());
    if (!on_stage || what.address - first >= sizeof values) return {};
    return {.microseconds = half_a_minute_us, .until_hit = true};
  });
  std::vector<std::thread> threads;
  const auto start = [&](std::size_t i) {
    threads.emplace_back([i] {
      on_stage = true;
      instrumented::write8(&values[i], i);
    });
  };
  for (std::size_t i = 0; i < places; ++i) start(i);
  wait_until_stalled(places);
  for (std::size_t i = places; i < places + more; ++i) start(i);
  for (std::size_t i = places; i < places + more; ++i) threads[i].join();
  EXPECT_EQ(watch::totals().stalls, places);
  EXPECT_EQ(watch::totals().dropped, more);
  EXPECT_EQ(watch::stalled_now(), places);

  for (std::size_t i = 0; i < places; ++i) instrumented::read8(&values[i]);
  for (std::size_t i = 0; i < places; ++i) threads[i].join();
  EXPECT_EQ(watch::totals().pairs, places);
  EXPECT_EQ(records.size(), 1U) << "all by the same two sites";
  EXPECT_EQ(watch::stalled_now(), 0U);
}

// The rest of the test, in the child of a fork made while another thread is stalled.
int child_of_fork(std::uint64_t* stalled_in_parent) {
  if (watch::stalled_now() != 0) return 1;
  instrumented::write8(stalled_in_parent, 1);
  if (watch::totals().pairs != 0) return 2;
  std::uint64_t own = 0;
  stage(&own, [&] { instrumented::write8(&own, 1); }, [&] { instrumented::read8(&own); });
  if (watch::totals().pairs != 1) return 3;
  if (records.size() != 1 || records[0].stalled.thread == records[0].came.thread) return 4;
  return 0;
}

TEST_F(Runtime, ChildOfAForkHasNoStalledThreadsAndCatchesItsOwn) {
  int status = -1;
  stage(
      &value_, [&] { instrumented::write8(&value_, 7); },
      [&] {
        const pid_t child = fork();
        if (child == 0) {
          alarm(10);
          _exit(child_of_fork(&value_));
        }
        waitpid(child, &status, 0);
        EXPECT_EQ(watch::totals().pairs, 0U);
        instrumented::finish(&value_);
      });
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_EQ(watch::totals().pairs, 1U);
}

TEST_F(Runtime, LeavesErrnoAlone) {
  int before_catch = 0;
  int after_stall = 0;
  stage(
      &value_,
      [&] {
        errno = 1234;
        instrumented::write8(&value_, 1);
        after_stall = errno;
      },
      [&] {
        errno = 4321;
        instrumented::read8(&value_);
        before_catch = errno;
      });
  EXPECT_EQ(watch::totals().pairs, 1U);
  EXPECT_EQ(after_stall, 1234);
  EXPECT_EQ(before_catch, 4321);
}

TEST_F(Runtime, LeavesErrnoAloneWhenAStallRunsOutOfTime) {
  alignas(16) static std::array<std::uint8_t, 16>
      bytes{};  // too many for a value to be read, before and after
  watch::set_decide([](const watch::access& what, std::uint32_t) -> watch::stall {
    return {.microseconds = what.address == reinterpret_cast<std::uintptr_t>(bytes.data()) ? 100U : 0U};
  });
  int after_stall = 0;
  std::thread([&] {
    errno = 1234;
    instrumented::write16(bytes.data(), 1);
    after_stall = errno;
  }).join();
  EXPECT_EQ(watch::totals().stalls, 1U);
  EXPECT_EQ(after_stall, 1234);
}

TEST_F(Runtime, HandlersMayUseInstrumentedCodeAndTheHeap) {
  static std::uint64_t touched = 0;
  watch::set_on_record([](const watch::record& each) {
    instrumented::write8(&touched, touched + 1);
    keep(each);
  });
  stage(&value_, [&] { instrumented::write8(&value_, 1); }, [&] { instrumented::read8(&value_); });
  EXPECT_EQ(touched, 1U);
  EXPECT_EQ(records.size(), 1U);
}

TEST_F(Runtime, ThousandsOfThreadsComeAndGo) {
  watch::set_decide([](const watch::access&, std::uint32_t visit) -> watch::stall {
    return {.microseconds = visit % 7 == 0 ? 30U : 0U};
  });
  static std::atomic<std::uint64_t> sum;
  sum = 0;
  constexpr int rounds = 100;
  constexpr int at_once = 50;
  for (int round = 0; round < rounds; ++round) {
    std::array<std::thread, at_once> threads;
    for (std::thread& each : threads) {
      each = std::thread([] {
        std::uint64_t own = 0;
        instrumented::write8(&own, 2);
        sum += instrumented::read8(&own);
      });
    }
    for (std::thread& each : threads) each.join();
  }
  EXPECT_EQ(sum, 2U * rounds * at_once);
  EXPECT_GT(watch::totals().stalls, 100U);
  EXPECT_EQ(watch::totals().pairs, 0U);
  EXPECT_EQ(watch::totals().changed, 0U);
}

// Thread exit: thread_local objects first, then the destructors of pthread keys, in rounds.
std::atomic<int> last_words{0};
std::uint64_t last_value = 0;

struct says_goodbye {
  says_goodbye() = default;
  says_goodbye(const says_goodbye&) = delete;
  says_goodbye& operator=(const says_goodbye&) = delete;
  ~says_goodbye() {
    instrumented::write8(&last_value, 1);
    last_words += 1;
  }
};

TEST_F(Runtime, AccessesOfAThreadThatEndsAreHarmless) {
  last_words = 0;
  watch::set_decide([](const watch::access& what, std::uint32_t) -> watch::stall {
    return {.microseconds = what.address == reinterpret_cast<std::uintptr_t>(&last_value) ? 100U : 0U};
  });
  static pthread_key_t key;
  // Sets the key again until the last round, past the end of the registry's own key.
  ASSERT_EQ(pthread_key_create(&key,
                               [](void* rounds_left) {
                                 instrumented::write8(&last_value, 2);
                                 last_words += 1;
                                 auto* const left = static_cast<char*>(rounds_left);
                                 if (left != nullptr) pthread_setspecific(key, left);
                               }),
            0);
  static char token;
  std::thread([] {
    thread_local const says_goodbye object;
    static_cast<void>(object);
    pthread_setspecific(key, &token);
  }).join();
  pthread_key_delete(key);
  EXPECT_GE(last_words, 3);
  EXPECT_EQ(watch::totals().stalls, static_cast<std::uint64_t>(last_words));
  EXPECT_EQ(watch::totals().changed, 0U);
}

TEST_F(Runtime, CatchesEvenWhenTheSiteTableIsFull) {
  std::uint64_t own = 0;
  std::thread([&own] {
    for (std::uintptr_t pc = 0x10000; pc < 0x10000 + 40'000; ++pc)
      __tsan_write8_pc(&own, reinterpret_cast<void*>(pc));
  }).join();
  stage(
      &value_, [&] { instrumented::write8_unaligned(&value_, 1); },
      [&] { instrumented::read8_unaligned(&value_); });
  EXPECT_EQ(watch::totals().pairs, 1U);
  EXPECT_EQ(records.size(), 1U);
}

TEST_F(Runtime, ForgetsOnReset) {
  stage(&value_, [&] { instrumented::write8(&value_, 1); }, [&] { instrumented::read8(&value_); });
  watch::reset();
  EXPECT_EQ(watch::totals().stalls, 0U);
  EXPECT_EQ(watch::totals().pairs, 0U);
  stage(&value_, [&] { instrumented::write8(&value_, 1); }, [&] { instrumented::read8(&value_); });
  EXPECT_EQ(records.size(), 2U);
  EXPECT_EQ(records[1].stalled.visit, 0U);
}

}  // namespace
