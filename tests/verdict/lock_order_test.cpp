#include "sanitizers/verdict/lock_order.hpp"

#include <gtest/gtest.h>

namespace {

using namespace racelab::verdict;

nested_lock taken(unsigned thread, const std::string& mutex, const std::vector<std::string>& held,
                  std::set<unsigned> alive = {1, 2, 3}) {
  return {.where = {.thread = thread, .stack = {}, .created_by = {}},
          .mutex = mutex,
          .held = held,
          .alive = std::move(alive)};
}

TEST(Guards, OneOrderIsNoCycle) {
  EXPECT_FALSE(guards_of({}).any_cycle);
  EXPECT_FALSE(guards_of({taken(1, "b", {"a"}), taken(2, "b", {"a"}), taken(2, "c", {"b"})}).any_cycle);
}

TEST(Guards, BothOrders) {
  const cycle_guards guards = guards_of({taken(1, "b", {"a"}), taken(2, "a", {"b"})});
  EXPECT_TRUE(guards.any_cycle);
  EXPECT_FALSE(guards.gated);
  EXPECT_FALSE(guards.one_thread);
}

TEST(Guards, Gate) {
  EXPECT_TRUE(guards_of({taken(1, "b", {"g", "a"}), taken(2, "a", {"g", "b"})}).gated);
  // One that is held at one side alone keeps nothing apart, and neither do two different ones.
  EXPECT_FALSE(guards_of({taken(1, "b", {"g", "a"}), taken(2, "a", {"b"})}).gated);
  EXPECT_FALSE(guards_of({taken(1, "b", {"g", "a"}), taken(2, "a", {"h", "b"})}).gated);
  EXPECT_FALSE(guards_of({taken(1, "b", {"g", "a"}), taken(2, "a", {"g", "b"}), taken(3, "b", {"a"})}).gated);
}

TEST(Guards, GateOfEachCycle) {
  EXPECT_TRUE(guards_of({taken(1, "b", {"g", "a"}), taken(2, "a", {"g", "b"}), taken(1, "d", {"h", "c"}),
                         taken(2, "c", {"h", "d"})})
                  .gated);
  EXPECT_FALSE(guards_of({taken(1, "b", {"g", "a"}), taken(2, "a", {"g", "b"}), taken(1, "d", {"c"}),
                          taken(2, "c", {"d"})})
                   .gated);
}

TEST(Guards, OneThread) {
  EXPECT_TRUE(guards_of({taken(1, "b", {"a"}), taken(1, "a", {"b"})}).one_thread);
  EXPECT_FALSE(guards_of({taken(1, "b", {"a"}), taken(1, "a", {"b"}), taken(2, "b", {"a"})}).one_thread);
}

TEST(Guards, ThreadsThatNeverMeet) {
  EXPECT_TRUE(guards_of({taken(2, "b", {"a"}, {1, 2}), taken(3, "a", {"b"}, {1, 3})}).apart);
  EXPECT_FALSE(guards_of({taken(2, "b", {"a"}, {1, 2, 3}), taken(3, "a", {"b"}, {1, 3})}).apart);
  EXPECT_FALSE(guards_of({taken(2, "b", {"a"}, {1, 2}), taken(3, "a", {"b"}, {1, 2, 3})}).apart);
  EXPECT_FALSE(
      guards_of({taken(2, "b", {"a"}, {1, 2}), taken(3, "a", {"b"}, {1, 3}), taken(4, "a", {"b"}, {1, 2, 4})})
          .apart);
}

}  // namespace
