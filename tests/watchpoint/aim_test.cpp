// Aimed stalls: programs with a plan, found the way a tool finds it: run once for the sites, then stall there.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "tests/watchpoint/run_aimed.hpp"

namespace {

using nlohmann::json;
using racelab::watch::event_entry;
using racelab::watch::event_kind;

constexpr std::uint32_t middle = 500;  // of programs/edge.cpp

std::string program(const std::string& name) { return std::string(WATCHED_PROGRAMS) + "/" + name; }

// The sites of programs/edge.cpp, as its first run shows them.
class Aimed : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    const aimed_run run = run_aimed(program("edge"), "", {{"RACELAB_PERTURB", "none"}});
    ASSERT_EQ(run.exit_code(), 0) << run.program.errors;
    low = run.site_in("write_low").place;
    high = run.site_in("write_high").place;
    after = run.site_in("write_after").place;
    ASSERT_TRUE(low.starts_with("-+0x")) << low;
    ASSERT_FALSE(high.empty());
    ASSERT_FALSE(after.empty());
    meeting = "observe " + after + "\nstall " + low + " us=10000000 visit=500 until=hit others=1\nstall " +
              high + " us=10000000 visit=0 until=hit others=1\n";
  }

  static aimed_run run(const std::string& plan, const environment& variables = {}) {
    aimed_run result = run_aimed(program("edge"), plan, variables);
    EXPECT_EQ(result.exit_code(), 0) << result.program.errors;
    return result;
  }

  static std::string meeting;  // a plan: the two wait for each other
  static std::string low;
  static std::string high;
  static std::string after;
};

std::string Aimed::meeting;
std::string Aimed::low;
std::string Aimed::high;
std::string Aimed::after;

TEST_F(Aimed, ObservingWritesEachVisitInItsThreadsOrder) {
  const aimed_run seen = run("observe " + low + "\n# a comment\n\n  observe " + high + "  # another\n");
  std::map<std::uint32_t, std::vector<event_entry>> of_thread;
  for (const event_entry& each : seen.events) of_thread[each.thread].push_back(each);
  ASSERT_EQ(of_thread.size(), 2U);
  for (const auto& [thread, events] : of_thread) {
    ASSERT_EQ(events.size(), middle + 1);
    for (std::uint32_t i = 0; i < events.size(); ++i) {
      EXPECT_EQ(events[i].kind, event_kind::visit);
      EXPECT_EQ(events[i].visit, i);
      EXPECT_EQ(events[i].address, events[0].address + std::uint64_t{8} * i);
      EXPECT_EQ(events[i].size, 8U);
      EXPECT_EQ(events[i].write, 1U);
      EXPECT_EQ(events[i].atomic, 0U);
      EXPECT_EQ(events[i].release, 0U);
      EXPECT_EQ(events[i].stalled_us, 0U);
      EXPECT_GT(events[i].process, 0U);
      EXPECT_GE(events[i].time_ns, events[i > 0 ? i - 1 : 0].time_ns);
    }
  }
  ASSERT_TRUE(of_thread.contains(2) && of_thread.contains(3));
  EXPECT_EQ(of_thread[2].back().address, of_thread[3].front().address) << "where they meet";
  EXPECT_TRUE(seen.of_kind("pair").empty());
}

TEST(Orders, AreNotedOfAtomicOperationsAndOfFences) {
  const aimed_run first = run_aimed(program("orders"), "", {{"RACELAB_PERTURB", "none"}});
  ASSERT_EQ(first.exit_code(), 0) << first.program.errors;
  const auto noted = [&](const char* function) { return first.site_in(function).entry.atomic; };
  EXPECT_EQ(noted("store_relaxed"), 1 + __ATOMIC_RELAXED);
  EXPECT_EQ(noted("load_acquire"), 1 + __ATOMIC_ACQUIRE);
  EXPECT_EQ(noted("fence_release"), 1 + __ATOMIC_RELEASE);
  EXPECT_EQ(noted("exchange_acq_rel"), 1 + __ATOMIC_ACQ_REL);
  EXPECT_EQ(first.site_in("fence_release").entry.size, 0U);
  const aimed_run seen =
      run_aimed(program("orders"), "observe " + first.site_in("fence_release").place + "\nobserve " +
                                       first.site_in("store_relaxed").place);
  ASSERT_EQ(seen.events.size(), 2U);
  EXPECT_EQ(seen.events[0].atomic, 1 + __ATOMIC_RELEASE);
  EXPECT_EQ(seen.events[0].size, 0U);
  EXPECT_EQ(seen.events[1].atomic, 1 + __ATOMIC_RELAXED);
  EXPECT_EQ(seen.events[1].size, 4U);
}

TEST_F(Aimed, ThePlanAloneDecidesUnlessThePolicyIsAskedFor) {
  EXPECT_TRUE(run("observe " + after).of_kind(event_kind::stall_began).empty());
  const std::string plan = "stall " + high + " us=1000 visit=0";
  for (const char* how : {"none", "stall", "yield", "heap"}) {
    const aimed_run both = run(plan, {{"RACELAB_PERTURB", how}});
    EXPECT_EQ(both.of_kind(event_kind::stall_began).size(), 1U) << how;
  }
}

// The one element of a thousand, every time: whoever comes first waits for the other one.
TEST_F(Aimed, StallsUntilAHitCatchARaceWhoseSidesRunOnce) {
  for (int i = 0; i < 20; ++i) {
    const aimed_run caught = run(meeting);
    ASSERT_EQ(caught.of_kind("pair").size(), 1U);
    const json pair = caught.of_kind("pair")[0];
    const bool low_waited = pair.at("stalled").at("thread") == 2;
    EXPECT_EQ(pair.at("stalled").at("rule"), low_waited ? 1 : 2);
    EXPECT_EQ(pair.at("stalled").at("visit"), low_waited ? middle : 0);
    EXPECT_EQ(pair.at("came").at("thread"), low_waited ? 3 : 2);
    EXPECT_FALSE(pair.at("came").contains("rule"));
    const auto hits = caught.of_kind(event_kind::hit);
    ASSERT_GE(hits.size(), 1U);
    ASSERT_LE(hits.size(), 2U) << "two, if they came at the very same time";
    for (const event_entry& hit : hits) {
      EXPECT_EQ(hit.visit, hit.thread == 3 ? 0 : middle);
      EXPECT_EQ(hit.address, number_in(pair.at("stalled").at("address")));
    }
    for (const event_entry& ended : caught.of_kind(event_kind::stall_ended)) {
      EXPECT_EQ(ended.stalled_us, 10'000'000U);
      EXPECT_LT(ended.time_ns - caught.events[0].time_ns, 5'000'000'000U) << "it ends with the hit";
    }
  }
}

TEST_F(Aimed, RulesOfOtherThreadsVisitsOrNoLimitDoNotApply) {
  for (const char* condition : {"thread=2", "visit=1001", "limit=0", "chance=0"}) {
    const aimed_run untouched = run("stall " + high + " us=10000000 until=hit " + condition);
    EXPECT_TRUE(untouched.of_kind(event_kind::stall_began).empty()) << condition;
    EXPECT_EQ(untouched.of_kind(event_kind::visit).size(), middle + 1) << condition;
  }
}

TEST_F(Aimed, TheFirstRuleThatAppliesDecides) {
  const aimed_run seen = run("observe " + low + "\nstall " + low + " us=1 visit=7\nstall " + low +
                             " us=2 limit=2\nstall " + low + " us=3 visit=9");
  std::vector<std::pair<std::uint32_t, std::uint32_t>> stalls;
  for (const event_entry& each : seen.of_kind(event_kind::stall_began))
    stalls.emplace_back(each.visit, each.stalled_us);
  EXPECT_EQ(stalls, (std::vector<std::pair<std::uint32_t, std::uint32_t>>{{0, 2}, {1, 2}, {7, 1}, {9, 3}}));
  EXPECT_EQ(seen.of_kind(event_kind::stall_ended).size(), 4U);
  EXPECT_EQ(seen.of_kind(event_kind::visit).size(), middle + 1);
}

TEST_F(Aimed, ChanceIsTheSeedsAndAboutWhatItSays) {
  const auto stalled_visits = [](const std::string& seed) {
    std::set<std::uint32_t> visits;
    for (const event_entry& each :
         run("stall " + low + " us=1 chance=30", {{"RACELAB_SEED", seed}}).of_kind(event_kind::stall_began))
      visits.insert(each.visit);
    return visits;
  };
  const auto first = stalled_visits("1");
  EXPECT_EQ(first, stalled_visits("1"));
  EXPECT_NE(first, stalled_visits("2"));
  // The seeds are fixed: 150 expected of 501.
  EXPECT_GT(first.size(), 100U);
  EXPECT_LT(first.size(), 200U);
}

TEST_F(Aimed, SharedStallsOnlyWhereAnotherThreadHasBeen) {
  const aimed_run caught = run(
      "observe " + high + "\nstall " + low + " us=10000000 until=hit shared=1 limit=1", {{"EDGE", "again"}});
  ASSERT_EQ(caught.of_kind("pair").size(), 1U);
  const auto stalls = caught.of_kind(event_kind::stall_began);
  ASSERT_EQ(stalls.size(), 1U);
  EXPECT_EQ(stalls[0].visit % (middle + 1), middle) << "of all elements the one that both write";
  EXPECT_EQ(stalls[0].address, number_in(caught.of_kind("pair")[0].at("stalled").at("address")));
}

TEST_F(Aimed, LingeringGoesOnForSoLongAfterTheHit) {
  const aimed_run lingered =
      run("stall " + high + " us=10000000 visit=0 until=hit linger=50000\n", {{"EDGE", "wait"}});
  const auto hits = lingered.of_kind(event_kind::hit);
  const auto ended = lingered.of_kind(event_kind::stall_ended);
  ASSERT_EQ(hits.size(), 1U);
  EXPECT_EQ(hits[0].thread, 2U);
  ASSERT_EQ(ended.size(), 1U);
  EXPECT_GE(ended[0].time_ns - hits[0].time_ns, 50'000'000U);
}

TEST_F(Aimed, AStallThatEndsByTimeLogsTheOthersIfAskedTo) {
  const aimed_run alone = run("stall " + low + " us=2000 visit=3 others=1");
  ASSERT_EQ(alone.of_kind("others").size(), 1U);
  const json others = alone.of_kind("others")[0];
  EXPECT_EQ(others.at("stalled").at("thread"), 2);
  EXPECT_EQ(others.at("stalled").at("rule"), 0);
  EXPECT_GE(others.at("stalled").at("stack").size(), 2U);
  const named_modules names(alone);
  std::set<int> threads;
  for (const json& each : others.at("threads")) {
    threads.insert(each.at("thread").get<int>());
    if (each.at("thread") != 1) continue;
    EXPECT_TRUE(each.at("created_by").empty());
    EXPECT_TRUE(names.on_stack(each.at("stack"), "main")) << each;
  }
  EXPECT_TRUE(threads.contains(1));
  EXPECT_FALSE(threads.contains(2)) << "the stalled one is no other";

  EXPECT_TRUE(run(meeting).of_kind("others").empty()) << "ended by a hit";
}

TEST_F(Aimed, TheSitesAreThereWithoutAnyStall) {
  const aimed_run seen = run("observe " + low, {{"RACELAB_PERTURB", "none"}});
  const named_site observed = seen.site_in("write_low");
  EXPECT_EQ(observed.entry.visits, middle + 1);
  EXPECT_EQ(observed.entry.threads, 1U);
  EXPECT_EQ(observed.entry.write, 1U);
  EXPECT_EQ(observed.entry.size, 8U);
  const named_site once = seen.site_in("write_high");
  EXPECT_EQ(once.entry.visits, 1U);
  EXPECT_EQ(once.entry.threads, 1U);
}

TEST(AimedSites, TellSitesOfOneThreadFromThoseOfMore) {
  const aimed_run seen = run_aimed(program("racing_writers"), "");
  EXPECT_EQ(seen.site_in("count_up").entry.threads, 2U);
}

TEST(AimedSites, AreKeptThoughTheProcessDies) {
  const aimed_run seen = run_aimed(program("crash_after_hit"), "");
  EXPECT_EQ(seen.program.killed_by(), SIGSEGV);
  EXPECT_EQ(seen.site_in("write_when_stalled").entry.write, 1U);
  EXPECT_EQ(seen.site_in("read_and_die").entry.threads, 1U);
  EXPECT_EQ(seen.of_kind(event_kind::hit).size(), 1U);
}

TEST(AimedLog, HasTheModulesFromTheStart) {
  const aimed_run seen = run_aimed(program("adds_up"), "", {{"RACELAB_PERTURB", "none"}});
  EXPECT_EQ(seen.exit_code(), 0);
  ASSERT_GE(seen.log.size(), 1U);
  EXPECT_EQ(seen.log[0].at("kind"), "modules");
}

// Two atomic operations may be under way at one time, so nobody is caught there; but who waits for the thread comes later.
TEST(AimedAtAtomics, DelaysThemIfAskedAndCatchesNobody) {
  const std::string adds = program("adds_atomically");
  const named_site site = run_aimed(adds, "", {{"RACELAB_PERTURB", "none"}}).site_in("add_atomically");
  ASSERT_EQ(site.entry.atomic, 1U);
  const aimed_run untouched = run_aimed(adds, "stall " + site.place + " us=30000", {});
  EXPECT_EQ(untouched.of_kind(event_kind::visit).size(), 1U);
  EXPECT_TRUE(untouched.of_kind(event_kind::stall_began).empty());
  const aimed_run delayed = run_aimed(adds, "stall " + site.place + " us=30000 atomics=1 others=1", {});
  EXPECT_EQ(delayed.exit_code(), 0) << delayed.program.errors;
  const auto began = delayed.of_kind(event_kind::stall_began);
  const auto ended = delayed.of_kind(event_kind::stall_ended);
  ASSERT_EQ(began.size(), 1U);
  ASSERT_EQ(ended.size(), 1U);
  EXPECT_EQ(began[0].atomic, 1U);
  EXPECT_GE(ended[0].time_ns - began[0].time_ns, 30'000'000U);
  EXPECT_TRUE(delayed.of_kind("pair").empty());
  EXPECT_EQ(delayed.of_kind("others").size(), 1U);
}

}  // namespace
