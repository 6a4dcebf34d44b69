#include "sanitizers/verdict/targets.hpp"

#include <gtest/gtest.h>

#include <array>

#include "tests/verdict/made_up_program.hpp"

namespace {

using namespace racelab::verdict;
namespace made_up = racelab::verdict::made_up;

class Targets : public testing::Test {
 protected:
  Targets() {
    made.sites = {made_up::store(), made_up::load(), made_up::erase(), made_up::insert()};
    (void)runs.watch({});
  }

  void report(const place& one, const place& other) { all.take_reports({made.race_between(one, other)}); }
  void take(const std::vector<caught_pair>& pairs) {
    evidence found;
    found.caught = pairs;
    all.take_caught(found, {});
  }

  made_up::program made;
  judge_settings settings;
  judge_progress progress;
  runner runs{made, settings, progress};
  target_list all{runs};
};

TEST_F(Targets, ReportsOfTwoRunsAreOne) {
  report(made_up::store(), made_up::load());
  report(made_up::load(), made_up::store());
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all.at(0).out.seen, 2U);
}

TEST_F(Targets, CountsOnceInARun) {
  all.take_reports({made.race_between(made_up::store(), made_up::load()),
                    made.race_between(made_up::load(), made_up::store())});
  EXPECT_EQ(all.at(0).out.seen, 1U);
}

TEST_F(Targets, SitesOfAReportAreFound) {
  report(made_up::store(), made_up::load());
  all.find_sites();
  EXPECT_EQ(all.at(0).sites[0], std::set<place>{made_up::store()});
  EXPECT_EQ(all.at(0).sites[1], std::set<place>{made_up::load()});
  EXPECT_TRUE(all.at(0).reached());
}

TEST_F(Targets, PairGoesToItsReportWhicheverCameFirst) {
  report(made_up::erase(), made_up::insert());
  report(made_up::store(), made_up::load());
  take({made_up::pair(made_up::load(), made_up::store())});
  ASSERT_EQ(all.size(), 2U);
  EXPECT_FALSE(all.at(0).caught);
  EXPECT_TRUE(all.at(1).caught);
}

[[gnu::noinline]] std::array<place, 2> write_and_free() { return {made_up::here(), made_up::here()}; }

// assign() writes and frees in one line of its caller's.
TEST_F(Targets, PairGoesToTheReportOfItsAccessNotOnlyOfItsLine) {
  const auto [write, free] = write_and_free();
  made.watched = [write = write, free = free](const watch_request& /*request*/, watch_run& run) {
    run.found.sites.push_back({.pc = write, .visits = 1, .size = 8, .access = touch::write});
    run.found.sites.push_back({.pc = free, .visits = 1, .size = 8, .access = touch::free});
  };
  (void)runs.watch({});
  report(write, made_up::load());
  racelab::tsan::report freed = made.race_between(free, made_up::load());
  freed.kind = racelab::tsan::report_kind::use_after_free;
  auto& frames = freed.accesses.front().where.frames;
  frames.insert(frames.begin(), racelab::tsan::frame{});
  frames.front().function = "operator delete(void*)";
  all.take_reports({freed});
  ASSERT_EQ(all.size(), 2U);
  take({made_up::pair(free, made_up::load())});
  EXPECT_FALSE(all.at(0).caught);
  EXPECT_TRUE(all.at(1).caught);
  EXPECT_TRUE(all.at(1).out.caught_after);
}

TEST_F(Targets, PairOfSidesOfTwoReportsIsNeither) {
  report(made_up::store(), made_up::load());
  report(made_up::erase(), made_up::insert());
  take({made_up::pair(made_up::store(), made_up::insert())});
  ASSERT_EQ(all.size(), 3U);
  EXPECT_FALSE(all.at(0).caught);
  EXPECT_FALSE(all.at(1).caught);
  EXPECT_FALSE(all.at(2).out.reported);
}

TEST_F(Targets, ChangeGoesToTheReportWhoseSideItIs) {
  report(made_up::store(), made_up::load());
  take({made_up::change(made_up::store())});
  ASSERT_EQ(all.size(), 1U);
  EXPECT_TRUE(all.at(0).caught);
}

// Whose other side wrote is not known.
TEST_F(Targets, ChangeAtASideOfTwoReportsIsNeither) {
  report(made_up::store(), made_up::load());
  report(made_up::store(), made_up::insert());
  take({made_up::change(made_up::store())});
  ASSERT_EQ(all.size(), 3U);
  EXPECT_FALSE(all.at(0).caught);
  EXPECT_FALSE(all.at(1).caught);
}

TEST_F(Targets, ChangeThatAPairExplainsIsForgotten) {
  take({made_up::change(made_up::store()), made_up::pair(made_up::store(), made_up::load())});
  ASSERT_EQ(all.size(), 2U);
  all.forget_known_changes();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_TRUE(all.at(0).caught->came);
}

// What comes after one that is gone is still found.
TEST_F(Targets, PairIsKnownAfterAChangeWasForgotten) {
  take({made_up::change(made_up::store()), made_up::pair(made_up::store(), made_up::load()),
        made_up::pair(made_up::erase(), made_up::insert())});
  all.forget_known_changes();
  ASSERT_EQ(all.size(), 2U);
  take({made_up::pair(made_up::erase(), made_up::insert())});
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all.at(1).caught->stalled.pc, made_up::erase());
  report(made_up::store(), made_up::load());
  EXPECT_EQ(all.size(), 2U);
  EXPECT_EQ(all.at(0).out.seen, 1U);
  EXPECT_EQ(all.at(1).out.seen, 0U);
}

TEST(AtLine, FunctionFileAndLine) {
  judged_site site;
  site.function = "f()";
  EXPECT_EQ(at_line(site), "f()");
  site.file = "src/a.cpp";
  EXPECT_EQ(at_line(site), "f()");
  site.line = 7;
  EXPECT_EQ(at_line(site), "f() (a.cpp:7)");
  site = {};
  site.file = "lib/libx.so";
  EXPECT_EQ(at_line(site), "libx.so");
}

}  // namespace
