#include "sanitizers/verdict/matching.hpp"

#include <gtest/gtest.h>

#include "tests/verdict/made_up_program.hpp"

namespace {

using namespace racelab::verdict;
namespace made_up = racelab::verdict::made_up;
using racelab::tsan::frame;

frame in(const std::string& function, const std::string& file, unsigned line) {
  frame one;
  one.function = function;
  one.file = file;
  one.line = line;
  return one;
}

racelab::tsan::report race(const std::vector<frame>& first, const std::vector<frame>& second) {
  racelab::tsan::report report;
  report.kind = racelab::tsan::report_kind::data_race;
  report.accesses.resize(2);
  report.accesses[0].write = true;
  report.accesses[0].size = 8;
  report.accesses[0].where.frames = first;
  report.accesses[1].size = 4;
  report.accesses[1].atomic = true;
  report.accesses[1].where.frames = second;
  return report;
}

judged_site site(const std::string& function, const std::string& file, unsigned line) {
  return {.file = file, .line = line, .function = function, .access = "", .size = 0};
}

TEST(Sides, AccessesAsReported) {
  const std::vector<report_side> sides = sides_of(race({in("f", "a.cpp", 1)}, {in("g", "a.cpp", 2)}));
  ASSERT_EQ(sides.size(), 2U);
  EXPECT_EQ(sides[0].access, touch::write);
  EXPECT_EQ(sides[0].size, 8U);
  EXPECT_FALSE(sides[0].atomic);
  EXPECT_EQ(sides[1].access, touch::read);
  EXPECT_TRUE(sides[1].atomic);
}

TEST(Sides, WhatTheRuntimeStandsInForIsLeftOut) {
  const frame in_runtime =
      in("operator delete(void*)", "/llvm/compiler-rt/lib/tsan/rtl/tsan_new_delete.cpp", 126);
  const std::vector<report_side> sides =
      sides_of(race({in_runtime, in("f", "a.cpp", 1)}, {in("free", "", 0), in("g", "a.cpp", 2)}));
  ASSERT_EQ(sides.size(), 2U);
  EXPECT_EQ(sides[0].access, touch::free);
  EXPECT_EQ(sides[0].frames.size(), 1U);
  EXPECT_EQ(sides[1].access, touch::free);
}

TEST(Sides, NoneOfWhatIsNoRace) {
  racelab::tsan::report report = race({in("f", "a.cpp", 1)}, {in("g", "a.cpp", 2)});
  report.kind = racelab::tsan::report_kind::thread_leak;
  EXPECT_TRUE(sides_of(report).empty());
  report.kind = racelab::tsan::report_kind::use_after_free;
  EXPECT_EQ(sides_of(report).size(), 2U);
  report.accesses.pop_back();
  EXPECT_TRUE(sides_of(report).empty());
}

class Sites : public testing::Test {
 protected:
  [[nodiscard]] std::set<place> found(const report_side& side, const std::vector<visited_site>& visited) {
    return sites_of(side, visited, names);
  }
  [[nodiscard]] report_side side(const place& at, touch access = touch::write) {
    return {.frames = made.frames(at), .inner = {}, .access = access, .atomic = false, .size = 8};
  }
  static visited_site visited(const place& at, touch access = touch::write) {
    return {.pc = at, .visits = 1, .size = 8, .access = access, .atomic = false, .several_threads = true};
  }

  made_up::program made;
  place_names names{made.modules()};
};

TEST_F(Sites, ByFunctionFileAndLine) {
  const std::vector<visited_site> all{visited(made_up::store()), visited(made_up::load())};
  EXPECT_EQ(found(side(made_up::store()), all), std::set<place>{made_up::store()});
  EXPECT_TRUE(found(side(made_up::erase()), all).empty());
}

TEST_F(Sites, OfTheSameAccessIfThereAreAny) {
  const place at = made_up::store();
  const place beside{.module = 0, .offset = at.offset + 1};
  const std::vector<visited_site> all{visited(at, touch::read), visited(beside, touch::write)};
  EXPECT_EQ(found(side(at, touch::read), all), std::set<place>{at});
  EXPECT_EQ(found(side(at, touch::write), all), std::set<place>{beside});
  EXPECT_EQ(found(side(at, touch::free), all), (std::set<place>{at, beside}));
}

TEST_F(Sites, CodeWithoutSymbolsIsNowhere) {
  report_side stripped;
  stripped.frames = {frame{}};
  const place unknown{.module = made.modules().id("/none/libstripped.so"), .offset = 0x1234};
  EXPECT_TRUE(found(stripped, {visited(unknown), visited(made_up::store())}).empty());
}

TEST(SamePlace, FileNameLineAndFunction) {
  EXPECT_TRUE(same_place(site("f()", "src/a.cpp", 1), site("f()", "/home/user/src/a.cpp", 1)));
  EXPECT_FALSE(same_place(site("f()", "a.cpp", 1), site("f()", "a.cpp", 2)));
  EXPECT_FALSE(same_place(site("f()", "a.cpp", 1), site("f()", "b.cpp", 1)));
  EXPECT_FALSE(same_place(site("f()", "a.cpp", 1), site("g()", "a.cpp", 1)));
  // Of the same stripped library, and yet anywhere in it.
  EXPECT_FALSE(same_place(site("", "libx.so", 0), site("", "libx.so", 0)));
}

TEST(SamePair, InEitherOrder) {
  const judged_site f = site("f()", "a.cpp", 1);
  const judged_site g = site("g()", "a.cpp", 2);
  EXPECT_TRUE(same_pair({f, g}, {f, g}));
  EXPECT_TRUE(same_pair({f, g}, {g, f}));
  EXPECT_FALSE(same_pair({f, g}, {f, f}));
  EXPECT_FALSE(same_pair({f, f}, {f, g}));
  EXPECT_FALSE(same_pair({f}, {f}));
}

TEST(Identity, SameInEitherOrder) {
  const judged_site f = site("f()", "src/a.cpp", 1);
  const judged_site g = site("g()", "src/a.cpp", 2);
  EXPECT_EQ(identity_of("data-race", {f, g}), identity_of("data-race", {g, f}));
  EXPECT_NE(identity_of("data-race", {f, g}), identity_of("data-race", {f, f}));
  EXPECT_NE(identity_of("data-race", {f, g}), identity_of("use-after-free", {f, g}));
}

}  // namespace
