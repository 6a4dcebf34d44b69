#include "repro/support/gate.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <thread>

namespace {

TEST(Gate, RunsEachThreadOnceWithItsNumber) {
  std::array<std::atomic<int>, 8> runs{};
  racelab::run_together(8, [&](int thread) { runs.at(static_cast<std::size_t>(thread)).fetch_add(1); });
  for (const auto& each : runs) EXPECT_EQ(each.load(), 1);
}

TEST(Gate, RunsDifferentBodiesOnThreadsOfTheirOwn) {
  std::thread::id first;
  std::thread::id second;
  racelab::run_together([&] { first = std::this_thread::get_id(); },
                        [&] { second = std::this_thread::get_id(); });
  EXPECT_NE(first, std::thread::id{});
  EXPECT_NE(second, std::thread::id{});
  EXPECT_NE(first, second);
}

TEST(Gate, NobodyPassesBeforeTheLastHasCome) {
  for (int round = 0; round < 200; ++round) {
    std::atomic<int> arrived{0};
    std::atomic<int> early{0};
    racelab::start_gate gate(3);
    const auto party = [&] {
      arrived.fetch_add(1);
      gate.pass();
      if (arrived.load() != 3) early.fetch_add(1);
    };
    std::thread a(party);
    std::thread b(party);
    party();
    a.join();
    b.join();
    ASSERT_EQ(early.load(), 0);
  }
}

}  // namespace
