// Linked into a test program that runs on the watchpoint runtime: its threads were stalled, and nothing was caught. For
// each test every site counts as new again, so that the later ones are stalled as much as the first.
#include <gtest/gtest.h>

#include "sanitizers/watchpoint/watchpoint.hpp"

namespace {

racelab::watch::counters of_all_tests;

class fresh_for_each_test : public testing::EmptyTestEventListener {
 public:
  void OnTestStart(const testing::TestInfo& /*test*/) override { racelab::watch::reset(); }
  void OnTestEnd(const testing::TestInfo& test) override {
    const auto totals = racelab::watch::totals();
    of_all_tests.stalls += totals.stalls;
    of_all_tests.pairs += totals.pairs;
    of_all_tests.changed += totals.changed;
    if (totals.pairs + totals.changed != 0)
      ADD_FAILURE() << test.test_suite_name() << '.' << test.name() << ": caught " << totals.pairs
                    << " pairs and " << totals.changed << " changes that nobody was seen to make";
  }
};

class nothing_caught : public testing::Environment {
 public:
  void SetUp() override { testing::UnitTest::GetInstance()->listeners().Append(new fresh_for_each_test); }
  void TearDown() override {
    EXPECT_GT(of_all_tests.stalls, 0U) << "this run proves nothing";
    EXPECT_EQ(of_all_tests.pairs, 0U);
    EXPECT_EQ(of_all_tests.changed, 0U);
  }
};

[[maybe_unused]] const auto* const added = testing::AddGlobalTestEnvironment(new nothing_caught);

}  // namespace
