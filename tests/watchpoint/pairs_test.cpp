// Which two accesses are a pair, and what its record says.
#include <pthread.h>
#include <signal.h>

#include <array>
#include <cstring>

#include "tests/watchpoint/staging.hpp"

namespace {

using namespace staging;
using watch::access;
using watch::record;

class Pair : public Staged {
 protected:
  // Two threads, one address.
  std::uint64_t value_ = 0x1122334455667788;
  std::atomic<std::uint64_t> atomic_{42};
};

TEST_F(Pair, WriteAndWrite) {
  const cast numbers =
      stage(&value_, [&] { instrumented::write8(&value_, 1); }, [&] { instrumented::write8(&value_, 2); });
  ASSERT_EQ(records.size(), 1U);
  const record& caught = records[0];
  EXPECT_EQ(caught.what, record::kind::pair);
  for (const watch::side* side : {&caught.stalled, &caught.came}) {
    EXPECT_EQ(side->what.address, reinterpret_cast<std::uintptr_t>(&value_));
    EXPECT_EQ(side->what.size, 8U);
    EXPECT_TRUE(side->what.write);
    EXPECT_FALSE(side->what.atomic);
    EXPECT_FALSE(side->what.release);
    EXPECT_EQ(function_at(side->what.pc), "instrumented::write8(…)");
    EXPECT_TRUE(names(side->stack, "instrumented::write8(…)"));
    EXPECT_TRUE(names(side->stack, "WriteAndWrite"));
    EXPECT_TRUE(names(side->created_by, "staging::stage(…)"));
  }
  EXPECT_EQ(caught.stalled.thread, numbers.stalled);
  EXPECT_EQ(caught.came.thread, numbers.came);
  EXPECT_EQ(caught.value_before, 0x1122334455667788U);
}

TEST_F(Pair, StalledReadAndWrite) {
  std::uint32_t seen = 0;
  stage(&value_, [&] { seen = instrumented::read4(&value_); }, [&] { instrumented::write4(&value_, 7); });
  ASSERT_EQ(records.size(), 1U);
  EXPECT_FALSE(records[0].stalled.what.write);
  EXPECT_TRUE(records[0].came.what.write);
  EXPECT_EQ(records[0].stalled.what.size, 4U);
  EXPECT_EQ(records[0].value_before, 0x55667788U);
  EXPECT_EQ(function_at(records[0].stalled.what.pc), "instrumented::read4(…)");
  EXPECT_EQ(function_at(records[0].came.what.pc), "instrumented::write4(…)");
}

TEST_F(Pair, StalledWriteAndRead) {
  std::uint32_t seen = 0;
  stage(&value_, [&] { instrumented::write4(&value_, 7); }, [&] { seen = instrumented::read4(&value_); });
  ASSERT_EQ(records.size(), 1U);
  EXPECT_TRUE(records[0].stalled.what.write);
  EXPECT_FALSE(records[0].came.what.write);
  EXPECT_EQ(function_at(records[0].stalled.what.pc), "instrumented::write4(…)");
  EXPECT_EQ(function_at(records[0].came.what.pc), "instrumented::read4(…)");
}

TEST_F(Pair, NotTwoReads) {
  expect_not_caught(
      &value_, [&] { instrumented::read8(&value_); },
      [&] {
        instrumented::read8(&value_);
        instrumented::read1(&value_);
      });
}

TEST_F(Pair, PlainWriteAndAtomics) {
  stage(&atomic_, [&] { instrumented::write8(&atomic_, 1); }, [&] { instrumented::atomic_load(atomic_); });
  stage(
      &atomic_, [&] { instrumented::write8(&atomic_, 1); }, [&] { instrumented::atomic_store(atomic_, 5); });
  ASSERT_EQ(records.size(), 2U);
  EXPECT_TRUE(records[0].came.what.atomic);
  EXPECT_FALSE(records[0].came.what.write);
  EXPECT_TRUE(records[1].came.what.atomic);
  EXPECT_TRUE(records[1].came.what.write);
  EXPECT_FALSE(records[1].stalled.what.atomic);
}

TEST_F(Pair, PlainReadAndAtomicStoreOfAnySize) {
  alignas(16) std::array<std::uint8_t, 16> bytes{};
  for (const std::size_t size : {1U, 2U, 4U, 8U, 16U}) {
    records.clear();
    watch::reset();
    stage(
        bytes.data() + size - 1, [&] { instrumented::read1(bytes.data() + size - 1); },
        [&] { instrumented::atomic_store_of_size(bytes.data(), size); });
    ASSERT_EQ(records.size(), 1U) << size;
    EXPECT_EQ(records[0].came.what.size, size);
    EXPECT_TRUE(records[0].came.what.atomic);
    EXPECT_EQ(records[0].came.what.address, reinterpret_cast<std::uintptr_t>(bytes.data()));
  }
}

TEST_F(Pair, NotPlainReadAndAtomicLoad) {
  expect_not_caught(
      &atomic_, [&] { instrumented::read8(&atomic_); }, [&] { instrumented::atomic_load(atomic_); });
}

TEST_F(Pair, AtomicsAreNeverStalledSoTwoAreNeverAPair) {
  stalled_at = reinterpret_cast<std::uintptr_t>(&atomic_);
  watch::set_decide([](const access& what, std::uint32_t) -> watch::stall {
    if (what.address != stalled_at.load()) return {};
    return {.microseconds = half_a_minute_us, .until_hit = true};
  });
  std::thread one([&] { instrumented::atomic_store(atomic_, 1); });
  std::thread two([&] { instrumented::atomic_store(atomic_, 2); });
  one.join();
  two.join();
  EXPECT_EQ(watch::totals().stalls, 0U);
  EXPECT_EQ(watch::totals().pairs, 0U);
}

// A signal handler's accesses are those of the thread that it runs on.
volatile sig_atomic_t handled = 0;
std::uint64_t handlers_value = 0;

class Handler : public Pair {
 public:
  Handler(const Handler&) = delete;
  Handler& operator=(const Handler&) = delete;

 protected:
  Handler() {
    handled = 0;
    handlers_value = 5;
    struct sigaction action{};
    action.sa_handler = [](int) {
      instrumented::write8(&handlers_value, 6);
      handled = 1;
    };
    sigaction(SIGUSR1, &action, &before_);
  }
  ~Handler() override { sigaction(SIGUSR1, &before_, nullptr); }

  struct sigaction before_{};
};

TEST_F(Handler, IsNoPairWithItsOwnThread) {
  pthread_t target{};
  std::atomic<bool> known{false};
  expect_not_caught(
      &handlers_value,
      [&] {
        target = pthread_self();
        known = true;
        instrumented::read8(&handlers_value);
        while (handled == 0) sched_yield();
      },
      [&] {
        while (!known) sched_yield();
        pthread_kill(target, SIGUSR1);
      });
}

TEST_F(Handler, IsNoUnseenWriterEither) {
  // Without a meeting the value is looked at when the stall ends.
  stage_without_meeting(
      &handlers_value, [] { instrumented::read8(&handlers_value); },
      [](std::thread& stalled) { pthread_kill(stalled.native_handle(), SIGUSR1); });
  EXPECT_EQ(handled, 1);
  EXPECT_EQ(watch::totals().stalls, 1U);
  EXPECT_EQ(watch::totals().pairs, 0U);
  EXPECT_EQ(watch::totals().changed, 0U);
}

// Offsets into 64 bytes; the stalled access first.
struct overlap {
  const char* name;
  std::size_t stalled_at;
  void (*stalled)(std::uint8_t* bytes);
  void (*meets)(std::uint8_t* bytes);
  void (*misses)(std::uint8_t* bytes);  // touches the bytes next to the stalled ones, on either side
  std::size_t stalled_size;
  std::size_t meeting_size;
};

[[maybe_unused]] std::array<std::uint8_t, 64> elsewhere{};

const overlap overlaps[] = {
    {"WriteOfEightAndReadOfOneInTheMiddle", 8, [](std::uint8_t* b) { instrumented::write8(b + 8, 1); },
     [](std::uint8_t* b) { instrumented::read1(b + 12); },
     [](std::uint8_t* b) {
       instrumented::read1(b + 7);
       instrumented::read1(b + 16);
       instrumented::read8(b);
     },
     8, 1},
    {"ReadOfOneAndWriteOfEight", 15, [](std::uint8_t* b) { instrumented::read1(b + 15); },
     [](std::uint8_t* b) { instrumented::write8(b + 8, 1); },
     [](std::uint8_t* b) {
       instrumented::write8(b + 16, 1);
       instrumented::write1(b + 14, 1);
     },
     1, 8},
    {"UnalignedAcrossTwoWords", 5, [](std::uint8_t* b) { instrumented::write8_unaligned(b + 5, 1); },
     [](std::uint8_t* b) { instrumented::read4(b + 12); },
     [](std::uint8_t* b) {
       instrumented::read1(b + 4);
       instrumented::read1(b + 13);
     },
     8, 4},
    {"TwoUnaligned", 1, [](std::uint8_t* b) { instrumented::read8_unaligned(b + 1); },
     [](std::uint8_t* b) { instrumented::write8_unaligned(b + 8, 1); },
     [](std::uint8_t* b) {
       instrumented::write8_unaligned(b + 9, 1);
       instrumented::write1(b, 1);
     },
     8, 8},
    {"SixteenBytes", 16, [](std::uint8_t* b) { instrumented::write16(b + 16, 1); },
     [](std::uint8_t* b) { instrumented::read1(b + 31); },
     [](std::uint8_t* b) {
       instrumented::read1(b + 32);
       instrumented::read1(b + 15);
     },
     16, 1},
#ifdef __clang__  // g++ does not instrument these
    {"MemcpysSource", 10, [](std::uint8_t* b) { instrumented::copy(elsewhere.data(), b + 10, 20); },
     [](std::uint8_t* b) { instrumented::write1(b + 29, 1); },
     [](std::uint8_t* b) {
       instrumented::write1(b + 9, 1);
       instrumented::write1(b + 30, 1);
       instrumented::read8(b + 16);
     },
     20, 1},
    {"MemcpysTarget", 10, [](std::uint8_t* b) { instrumented::copy(b + 10, elsewhere.data(), 20); },
     [](std::uint8_t* b) { instrumented::read8(b + 24); },
     [](std::uint8_t* b) {
       instrumented::read1(b + 9);
       instrumented::read1(b + 30);
     },
     20, 8},
    {"Memmove", 10, [](std::uint8_t* b) { instrumented::move(b + 10, elsewhere.data(), 20); },
     [](std::uint8_t* b) { instrumented::move(elsewhere.data() + 32, b + 29, 10); },
     [](std::uint8_t* b) { instrumented::move(b + 30, b, 10); }, 20, 10},
    {"Memset", 3, [](std::uint8_t* b) { instrumented::fill(b + 3, 1, 50); },
     [](std::uint8_t* b) { instrumented::fill(b + 52, 2, 12); },
     [](std::uint8_t* b) {
       instrumented::fill(b, 2, 3);
       instrumented::fill(b + 53, 2, 11);
       instrumented::fill(b + 10, 2, 0);
     },
     50, 12},
#endif
};

class Overlap : public Staged, public testing::WithParamInterface<overlap> {
 protected:
  alignas(16) std::array<std::uint8_t, 64> bytes_{};
};

TEST_P(Overlap, IsCaught) {
  stage(
      bytes_.data() + GetParam().stalled_at, [&] { GetParam().stalled(bytes_.data()); },
      [&] { GetParam().meets(bytes_.data()); });
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].stalled.what.size, GetParam().stalled_size);
  EXPECT_EQ(records[0].came.what.size, GetParam().meeting_size);
}

TEST_P(Overlap, OfNeighboursIsNone) {
  expect_not_caught(
      bytes_.data() + GetParam().stalled_at, [&] { GetParam().stalled(bytes_.data()); },
      [&] { GetParam().misses(bytes_.data()); });
}

INSTANTIATE_TEST_SUITE_P(Accesses, Overlap, testing::ValuesIn(overlaps),
                         [](const auto& each) { return std::string(each.param.name); });

TEST_F(Pair, ValueOfUnalignedBytes) {
  std::array<std::uint8_t, 12> bytes{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
  stage(
      bytes.data() + 3, [&] { instrumented::read8_unaligned(bytes.data() + 3); },
      [&] { instrumented::write1(bytes.data() + 3, 0); });
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].value_before, 0x0a09080706050403U);
}

TEST_F(Pair, IsRecordedOnceAndCountedEachTime) {
  for (int i = 0; i < 3; ++i)
    stage(&value_, [&] { instrumented::write8(&value_, 1); }, [&] { instrumented::read8(&value_); });
  // The same two sites with the parts exchanged.
  stage(&value_, [&] { instrumented::read8(&value_); }, [&] { instrumented::write8(&value_, 1); });
  EXPECT_EQ(records.size(), 1U);
  EXPECT_EQ(watch::totals().pairs, 4U);
  EXPECT_EQ(watch::totals().stalls, 4U);
}

TEST_F(Pair, TellsHowOftenTheSiteWasLookedAtBefore) {
  stage(
      &value_,
      [&] {
        on_stage = false;
        for (int i = 0; i < 5; ++i) instrumented::read8(&value_);
        on_stage = true;
        instrumented::read8(&value_);
      },
      [&] { instrumented::write8(&value_, 1); });
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].stalled.visit, 5U);
}

}  // namespace
