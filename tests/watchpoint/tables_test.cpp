// The runtime's tables, by themselves.
#include <gtest/gtest.h>

#include <memory>
#include <set>

#include "sanitizers/watchpoint/seen_pairs.hpp"
#include "sanitizers/watchpoint/sites.hpp"
#include "sanitizers/watchpoint/watchpoints.hpp"

namespace racelab::watch {
namespace {

TEST(Conflict, NeedsOverlapAWriteAndAPlainSide) {
  const access write{.address = 100, .size = 8, .write = true};
  const access read{.address = 107, .size = 1};
  const access beside{.address = 108, .size = 1, .write = true};
  const access atomic{.address = 100, .size = 8, .write = true, .atomic = true};
  static_assert(conflict(access{.address = 1, .size = 1, .write = true}, access{.address = 1, .size = 1}));
  EXPECT_TRUE(conflict(write, read));
  EXPECT_TRUE(conflict(read, write));
  EXPECT_TRUE(conflict(write, atomic));
  EXPECT_FALSE(conflict(write, beside));
  EXPECT_FALSE(conflict(beside, write));
  EXPECT_FALSE(conflict(read, read));
  EXPECT_FALSE(conflict(atomic, atomic));
}

TEST(SiteTable, KeepsEachPcApart) {
  const auto sites = std::make_unique<site_table>();
  site* const first = sites->find_or_insert(0x1000);
  site* const second = sites->find_or_insert(0x1000 + (std::uintptr_t{1} << 20U));
  ASSERT_NE(first, nullptr);
  EXPECT_NE(first, second);
  EXPECT_EQ(sites->find_or_insert(0x1000), first);
  sites->clear();
  EXPECT_EQ(sites->find_or_insert(0x2000)->pc, 0x2000U);
}

TEST(SiteTable, WhenFullKnowsTheOldOnesAndRefusesNewOnes) {
  const auto sites = std::make_unique<site_table>();
  std::set<site*> all;
  std::uintptr_t pc = 0x400000;
  while (site* const each = sites->find_or_insert(pc)) {
    all.insert(each);
    pc += 5;
  }
  EXPECT_EQ(all.size(), 32768U);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(sites->find_or_insert(pc + 5), nullptr);
  EXPECT_EQ(sites->find_or_insert(0x400000)->pc, 0x400000U);
}

TEST(SeenPairs, TakesAPairOnceInEitherOrder) {
  const auto seen = std::make_unique<seen_pairs>();
  EXPECT_TRUE(seen->insert(0x1000, 0x1001)) << "neighbours are apart";
  EXPECT_FALSE(seen->insert(0x1001, 0x1000));
  EXPECT_TRUE(seen->insert(0x1000, 0x1000));
  EXPECT_TRUE(seen->insert(0x1001, 0x1001));
  EXPECT_TRUE(seen->insert(0, 0)) << "none of them is an empty place";
  EXPECT_FALSE(seen->insert(0, 0));
  seen->clear();
  EXPECT_TRUE(seen->insert(0x1001, 0x1000));
}

TEST(SeenPairs, HoldsManyThatLookAlike) {
  const auto seen = std::make_unique<seen_pairs>();
  int fresh = 0;
  for (std::uintptr_t a = 0; a < 64; ++a)
    for (std::uintptr_t b = a; b < 64; ++b) fresh += seen->insert(0x401000 + 4 * a, 0x401000 + 4 * b) ? 1 : 0;
  EXPECT_EQ(fresh, 64 * 65 / 2);
}

class Watchpoints : public testing::Test {
 protected:
  watchpoint* arm(const access& what, const stacks::thread_record& owner) {
    watchpoint* const place = table_->claim();
    if (place == nullptr) return nullptr;
    place->what = what;
    place->owner = &owner;
    table_->arm(*place);
    return place;
  }

  Watchpoints() {
    one_.id = 1;
    two_.id = 2;
  }

  std::unique_ptr<watchpoint_table> table_ = std::make_unique<watchpoint_table>();
  stacks::thread_record one_;
  stacks::thread_record two_;
  const access write_{.address = 0x1000, .size = 8, .write = true};
};

TEST_F(Watchpoints, AreFoundByAnotherThreadOnce) {
  watchpoint* const place = arm(write_, one_);
  EXPECT_EQ(table_->stalled(), 1U);
  EXPECT_EQ(table_->take(write_, 1), nullptr) << "its own thread's";
  EXPECT_EQ(table_->take(write_, 2), place);
  EXPECT_EQ(table_->take(write_, 3), nullptr) << "taken";
  watchpoint_table::done(*place);
  EXPECT_EQ(table_->take(write_, 3), nullptr) << "hit";
  EXPECT_TRUE(table_->disarm(*place));
  EXPECT_EQ(table_->stalled(), 0U);
  EXPECT_EQ(place->state, watchpoint::empty);
}

TEST_F(Watchpoints, BelongToTheStalledThreadIfNobodyComes) {
  watchpoint* const place = arm(write_, one_);
  EXPECT_FALSE(table_->disarm(*place));
  EXPECT_EQ(table_->take(write_, 2), nullptr);
  EXPECT_NE(table_->claim(), place) << "not free before it is given back";
  watchpoint_table::give_back(*place);
  EXPECT_EQ(table_->claim(), place);
}

TEST_F(Watchpoints, AreLeftToAThreadThatTakesTooLong) {
  // It may be waiting, in its record's modules, for the loader's lock, which the stalled thread holds.
  watchpoint* const place = arm(write_, one_);
  ASSERT_EQ(table_->take(write_, 2), place);
  EXPECT_TRUE(table_->disarm(*place)) << "and returns";
  EXPECT_NE(table_->claim(), place) << "it is being read";
  watchpoint_table::done(*place);
  EXPECT_EQ(table_->claim(), place);
}

TEST_F(Watchpoints, RunOut) {
  for (std::size_t i = 0; i < watchpoint_table::capacity; ++i) ASSERT_NE(arm(write_, one_), nullptr);
  EXPECT_EQ(arm(write_, two_), nullptr);
  EXPECT_EQ(table_->stalled(), watchpoint_table::capacity);
  table_->clear();
  EXPECT_EQ(table_->stalled(), 0U);
  EXPECT_NE(arm(write_, two_), nullptr);
}

}  // namespace
}  // namespace racelab::watch
