#include "sanitizers/verdict/orders.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <string>
#include <vector>

#include "tests/verdict/made_up_program.hpp"

namespace {

using namespace racelab::verdict;
namespace made_up = racelab::verdict::made_up;

constexpr std::uint64_t flag = 0x2000;
constexpr std::uint64_t other_flag = 0x3000;

event access(unsigned thread, double ms) {
  return made_up::happening(event::kind::visit, thread, thread == 2 ? made_up::store() : made_up::load(), ms);
}

event atomic(unsigned thread, double ms, touch what, std::memory_order order, std::uint64_t address = flag) {
  event one =
      made_up::happening(event::kind::visit, thread, thread == 2 ? made_up::erase() : made_up::insert(), ms);
  one.access = what;
  one.atomic = true;
  one.order = order;
  one.address = address;
  return one;
}

event fence(unsigned thread, double ms, std::memory_order order) {
  event one = atomic(thread, ms, touch::read, order, 0);
  one.size = 0;
  return one;
}

// Between the first access, thread 2's, and the last one, thread 3's.
std::optional<hand_over> between_ends(std::vector<event> events) {
  const meeting ends{.first = events.front(), .second = events.back()};
  return hand_over_of(events, ends);
}

std::string text(const hand_over& by) {
  const module_table modules(made_up::own_path());
  place_names names(modules);
  return text_of(by, names);
}

TEST(Orders, WhatIsRelaxedIsNamed) {
  const auto by = between_ends({access(2, 1), atomic(2, 2, touch::write, std::memory_order_relaxed),
                                atomic(3, 3, touch::read, std::memory_order_relaxed), access(3, 4)});
  ASSERT_TRUE(by);
  EXPECT_FALSE(by->releases());
  EXPECT_FALSE(by->acquires());
  EXPECT_FALSE(by->is_by_fences());
  EXPECT_TRUE(by->explains());
  const std::string all = text(*by);
  EXPECT_TRUE(all.starts_with("the relaxed operation in ")) << all;
  EXPECT_NE(all.find("erase() (made_up_program.hpp:"), std::string::npos) << all;
  EXPECT_NE(all.find("does not release what came before it, and the relaxed operation in "),
            std::string::npos)
      << all;
  EXPECT_NE(all.find("a weaker machine (ARM, POWER) need not"), std::string::npos) << all;
}

TEST(Orders, OneOperationOfBothThreadsIsNamedOnce) {
  event taken = atomic(3, 3, touch::write, std::memory_order_relaxed);
  taken.pc = made_up::erase();
  event given = atomic(2, 2, touch::write, std::memory_order_relaxed);
  given.pc = taken.pc;
  const auto by = between_ends({access(2, 1), given, taken, access(3, 4)});
  ASSERT_TRUE(by);
  EXPECT_NE(text(*by).find("which neither releases what came before it nor acquires what comes after"),
            std::string::npos)
      << text(*by);
}

TEST(Orders, OnlyTheWeakSideIsNamed) {
  const auto by = between_ends({access(2, 1), atomic(2, 2, touch::write, std::memory_order_relaxed),
                                atomic(3, 3, touch::write, std::memory_order_acquire), access(3, 4)});
  ASSERT_TRUE(by);
  EXPECT_TRUE(by->acquires());
  EXPECT_EQ(text(*by).find("acquire"), std::string::npos) << text(*by);
}

TEST(Orders, FencesMakeRelaxedOperationsStrong) {
  const auto by = between_ends({access(2, 1), fence(2, 2, std::memory_order_release),
                                atomic(2, 3, touch::write, std::memory_order_relaxed),
                                atomic(3, 4, touch::read, std::memory_order_relaxed),
                                fence(3, 5, std::memory_order_acquire), access(3, 6)});
  ASSERT_TRUE(by);
  EXPECT_TRUE(by->is_by_fences());
  EXPECT_TRUE(by->explains());
  EXPECT_TRUE(text(*by).starts_with("the release fence in ")) << text(*by);
  EXPECT_NE(text(*by).find("the order holds on every machine"), std::string::npos) << text(*by);
}

// One that stands elsewhere, or is of the wrong kind, orders nothing here.
TEST(Orders, FenceMustStandBetween) {
  const auto by =
      between_ends({access(2, 1), fence(2, 2, std::memory_order_acquire),
                    atomic(2, 3, touch::write, std::memory_order_relaxed),
                    fence(2, 3.5, std::memory_order_release), fence(3, 3.6, std::memory_order_acquire),
                    atomic(3, 4, touch::read, std::memory_order_relaxed), access(3, 6)});
  ASSERT_TRUE(by);
  EXPECT_FALSE(by->releases());
  EXPECT_FALSE(by->acquires());
}

TEST(Orders, StrongOperationsExplainNothing) {
  const auto by = between_ends({access(2, 1), atomic(2, 2, touch::write, std::memory_order_release),
                                atomic(3, 3, touch::read, std::memory_order_acquire), access(3, 4)});
  ASSERT_TRUE(by);
  EXPECT_FALSE(by->explains());
}

TEST(Orders, AnAtomicThatNobodyHandsOverIsNone) {
  EXPECT_FALSE(between_ends({access(2, 1), access(3, 4)}));
  EXPECT_FALSE(
      between_ends({access(2, 1), atomic(2, 2, touch::write, std::memory_order_relaxed),
                    atomic(3, 3, touch::read, std::memory_order_relaxed, other_flag), access(3, 4)}));
  EXPECT_FALSE(between_ends({access(2, 1), atomic(2, 2, touch::read, std::memory_order_relaxed),
                             atomic(3, 3, touch::read, std::memory_order_relaxed), access(3, 4)}));
  EXPECT_FALSE(between_ends({access(2, 1), atomic(4, 2, touch::write, std::memory_order_relaxed),
                             atomic(3, 3, touch::read, std::memory_order_relaxed), access(3, 4)}));
}

}  // namespace
