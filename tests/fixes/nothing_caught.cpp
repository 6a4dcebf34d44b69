// Linked into a test program that runs on the watchpoint runtime: its threads were stalled, and nothing was caught.
#include <gtest/gtest.h>

#include "sanitizers/watchpoint/watchpoint.hpp"

namespace {

class nothing_caught : public testing::Environment {
 public:
  void TearDown() override {
    const auto totals = racelab::watch::totals();
    EXPECT_GT(totals.stalls, 0U) << "this run proves nothing";
    EXPECT_EQ(totals.pairs, 0U);
    EXPECT_EQ(totals.changed, 0U);
  }
};

[[maybe_unused]] const auto* const added = testing::AddGlobalTestEnvironment(new nothing_caught);

}  // namespace
