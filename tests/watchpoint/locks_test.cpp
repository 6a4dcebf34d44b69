// Locks that are followed: deadlocks, and locks that are taken while others are held.
#include <gtest/gtest.h>

#include <memory>
#include <set>

#include "sanitizers/watchpoint/lock_graph.hpp"
#include "tests/watchpoint/run_aimed.hpp"

namespace {

using nlohmann::json;
using racelab::watch::lock_graph;
using racelab::watch::lock_hold;
using racelab::watch::lock_kind;
using racelab::watch::thread_locks;

watched_run run_with_locks(const std::string& how, const std::string& options = "locks=1") {
  return run_watched(std::string(WATCHED_PROGRAMS) + "/lock_orders",
                     {{"LOCKS", how}, {"RACELAB_PERTURB", "none"}, {"RACELAB_WATCH", options}});
}

class Deadlock : public testing::TestWithParam<std::pair<const char*, std::size_t>> {};

TEST_P(Deadlock, EndsTheProcessWithItsThreadsStacks) {
  const auto [how, threads] = GetParam();
  const watched_run run = run_with_locks(how);
  EXPECT_EQ(run.exit_code(), 3);
  EXPECT_EQ(run.program.errors,
            "racelab: deadlock: " + std::to_string(threads) + " threads wait for each other's locks\n");
  ASSERT_EQ(run.of_kind("deadlock").size(), 1U);
  const json cycle = run.of_kind("deadlock")[0].at("threads");
  ASSERT_EQ(cycle.size(), threads);
  const named_modules names(run);
  for (std::size_t i = 0; i < threads; ++i) {
    const json next_holds = cycle[(i + 1) % threads].at("holds");
    EXPECT_TRUE(std::ranges::count(next_holds, cycle[i].at("waits_for"))) << cycle;
    EXPECT_EQ(cycle[i].at("created_by").empty(), cycle[i].at("thread") == 1);
    EXPECT_TRUE(names.on_stack(cycle[i].at("stack"), "pthread_")) << cycle[i];
  }
}

INSTANTIATE_TEST_SUITE_P(Of, Deadlock,
                         testing::Values(std::pair{"two", 2U}, std::pair{"three", 3U},
                                         std::pair{"reader and writer", 2U}, std::pair{"itself", 1U}),
                         [](const auto& each) { return "Case" + std::to_string(each.index); });

TEST(Locks, ThatAreStalledMakeADeadlockHappen) {
  const watched_run run = run_with_locks("by chance", "lock_stall_us=2000");
  EXPECT_EQ(run.exit_code(), 3);
  EXPECT_EQ(run.of_kind("deadlock").size(), 1U);
}

TEST(Locks, OfACorrectProgramAreNoDeadlock) {
  for (const char* how : {"gated", "two readers", "condition", "recursive", "error check", "limited"}) {
    for (const char* options : {"locks=1", "lock_stall_us=500"}) {
      const watched_run run = run_with_locks(how, options);
      EXPECT_EQ(run.exit_code(), 0) << how << ": " << run.program.errors;
      EXPECT_TRUE(run.of_kind("deadlock").empty()) << how;
    }
  }
}

TEST(Locks, AreNotFollowedUnlessAskedTo) { EXPECT_TRUE(run_with_locks("gated", "locks=0").log.empty()); }

TEST(Locks, TakenUnderOthersAreRecordedOnce) {
  const watched_run run = run_with_locks("gated");
  const named_modules names(run);
  std::set<std::pair<json, json>> orders;
  std::set<json> gates;
  for (const json& each : run.of_kind("nested_lock")) {
    EXPECT_TRUE(orders.emplace(each.at("mutex"), each.at("held")).second) << "twice: " << each;
    ASSERT_GE(each.at("held").size(), 1U);
    gates.insert(each.at("held")[0]);
    EXPECT_TRUE(names.on_stack(each.at("stack"), "take_under_the_gate")) << each;
  }
  EXPECT_EQ(orders.size(), 4U) << "first and second lock in either order";
  EXPECT_EQ(gates.size(), 1U) << "one lock is always held";
}

class LockGraph : public testing::Test {
 protected:
  LockGraph() {
    for (std::uint32_t i = 0; i < 3; ++i) {
      records_[i].id = i + 2;
      records_[i].tid = static_cast<pid_t>(i + 100);
      parts_[i] = graph_->part_of(records_[i]);
    }
  }

  std::size_t wait(
      std::size_t thread, lock_hold wanted,
      lock_graph::holds_function really = [](const auto&, const auto&) { return true; }) {
    return graph_->begin_wait(*parts_[thread], wanted, really, cycle_);
  }

  std::unique_ptr<lock_graph> graph_ = std::make_unique<lock_graph>();
  std::array<racelab::stacks::thread_record, 3> records_;
  std::array<thread_locks*, 3> parts_{};
  std::array<thread_locks*, 8> cycle_{};
};

TEST_F(LockGraph, FindsACycleInTheOrderOfWaiting) {
  for (std::size_t i = 0; i < 3; ++i) graph_->add(*parts_[i], {.lock = 10 + i});
  EXPECT_EQ(wait(0, {.lock = 11}), 0U);
  EXPECT_EQ(wait(1, {.lock = 12}), 0U);
  EXPECT_EQ(wait(2, {.lock = 10}), 3U);
  EXPECT_EQ(cycle_[0], parts_[2]);
  EXPECT_EQ(cycle_[1], parts_[0]);
  EXPECT_EQ(cycle_[2], parts_[1]);
}

TEST_F(LockGraph, KnowsNoCycleOnceSomebodyWaitsNoMoreOrHasGivenBack) {
  graph_->add(*parts_[0], {.lock = 10});
  graph_->add(*parts_[1], {.lock = 11});
  wait(0, {.lock = 11});
  graph_->end_wait(*parts_[0]);
  EXPECT_EQ(wait(1, {.lock = 10}), 0U);
  EXPECT_EQ(graph_->remove(*parts_[2], 11).lock, 11U) << "another thread may give it back";
  EXPECT_EQ(wait(0, {.lock = 11}), 0U);
  EXPECT_EQ(graph_->remove(*parts_[0], 11).lock, 0U);
}

TEST_F(LockGraph, AsksTheLockItself) {
  graph_->add(*parts_[0], {.lock = 10});
  graph_->add(*parts_[1], {.lock = 11});
  wait(0, {.lock = 11});
  EXPECT_EQ(wait(1, {.lock = 10}, [](const auto&, const auto&) { return false; }), 0U);
}

TEST_F(LockGraph, ReadersDoNotWaitForReaders) {
  graph_->add(*parts_[0], {.lock = 10, .kind = lock_kind::reader});
  graph_->add(*parts_[1], {.lock = 11});
  wait(0, {.lock = 11});
  EXPECT_EQ(wait(1, {.lock = 10, .kind = lock_kind::reader}), 0U);
  EXPECT_EQ(wait(1, {.lock = 10, .kind = lock_kind::writer}), 2U);
}

TEST_F(LockGraph, ReusesThePartsOfThreadsThatHaveEnded) {
  graph_->add(*parts_[0], {.lock = 10});
  records_[0].tid = 0;
  racelab::stacks::thread_record fresh;
  fresh.id = 9;
  fresh.tid = 109;
  EXPECT_EQ(graph_->part_of(fresh), parts_[0]);
  EXPECT_EQ(parts_[0]->held_count, 0U);
}

}  // namespace
