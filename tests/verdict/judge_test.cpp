#include "sanitizers/verdict/judge.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <string>
#include <thread>
#include <tuple>

#include "tests/verdict/made_up_program.hpp"

// The runtime's entry for a read, as a thread's stack has it: in no namespace.
// NOLINTNEXTLINE(bugprone-reserved-identifier,cert-*,misc-use-anonymous-namespace): its name is what counts
[[gnu::noinline]] static racelab::verdict::place __tsan_made_up_read() {
  return racelab::verdict::made_up::here();
}

namespace {

using namespace racelab::verdict;
namespace made_up = racelab::verdict::made_up;

class Judge : public testing::Test {
 protected:
  Judge() { made.sites = {made_up::store(), made_up::load()}; }

  // Reported in every run under ThreadSanitizer but those with the option `but`.
  void report_race(const std::string& but = "",
                   const std::function<void(racelab::tsan::report&)>& change = {}) {
    made.under_tsan = [this, but, change](const std::vector<std::string>& options) {
      tsan_run run;
      if (!but.empty() && std::ranges::find(options, but) != options.end()) return run;
      run.reports.push_back(made.race_between(made_up::store(), made_up::load()));
      if (change) change(run.reports.back());
      return run;
    };
  }

  void catch_under_stalls() {
    made.watched = [this](const watch_request& request, watch_run& run) {
      if (made.stall(request, made_up::store()).empty()) return;
      run.found.caught.push_back(made_up::pair(made_up::store(), made_up::load()));
      run.found.events = {made_up::happening(event::kind::stall_began, 2, made_up::store(), 1),
                          made_up::happening(event::kind::hit, 3, made_up::load(), 2)};
    };
  }

  // How long a plan's rule stalls; 0 if there is none.
  static double stalled_ms(const std::string& rule) {
    return rule.empty() ? 0 : std::stod(rule.substr(rule.find("us=") + 3)) / 1000;
  }

  // Two visits that meet; where the first one is stalled, the second one comes `came_ms` after the beginning of its stall, given
  // how long that is.
  void meet(const std::function<double(double stalled_ms)>& came_ms) {
    made.watched = [this, came_ms](const watch_request& request, watch_run& run) {
      const std::string rule = made.stall(request, made_up::store());
      const double ms = stalled_ms(rule);
      const auto kind = rule.empty() ? event::kind::visit : event::kind::stall_began;
      run.found.events = {made_up::happening(kind, 2, made_up::store(), 1),
                          made_up::happening(event::kind::visit, 3, made_up::load(), 1 + came_ms(ms))};
      if (rule.empty()) return;
      run.found.events.push_back(made_up::happening(event::kind::stall_ended, 2, made_up::store(), 1 + ms));
      std::ranges::sort(run.found.events, {}, &event::time_ns);
      run.found.others.push_back(
          {.stalled = made_up::writer(2, made_up::store()),
           .threads = {{.thread = 3, .stack = {made_up::take_lock()}, .created_by = {}}}});
    };
  }

  judgement judge(double seconds) {
    settings.budget = std::chrono::duration<double>(seconds);
    return judge_program(made, settings, {});
  }

  judged_report only_report(double seconds) {
    judgement all = judge(seconds);
    EXPECT_EQ(all.reports.size(), 1U);
    return all.reports.empty() ? judged_report{} : all.reports.front();
  }

  static bool has_evidence(const judged_report& of, const std::string& type) {
    return std::ranges::find(of.why, type, &evidence_item::type) != of.why.end();
  }

  made_up::program made;
  judge_settings settings;
};

TEST_F(Judge, NothingIsReported) {
  const judgement all = judge(1);
  EXPECT_EQ(all.overall(), "no-report");
  EXPECT_TRUE(all.reports.empty());
  EXPECT_TRUE(all.notes.empty());
  EXPECT_FALSE(all.interrupted);
  EXPECT_EQ(all.watch_runs, 3U + 120U + 29U + 1U);  // undisturbed and unaimed ones, of locks, of what meets
}

TEST_F(Judge, CaughtUnderStallsIsConfirmed) {
  report_race();
  catch_under_stalls();
  const judged_report report = only_report(5);
  EXPECT_EQ(report.what, verdict::confirmed);
  EXPECT_TRUE(report.reported);
  EXPECT_EQ(report.kind, "data-race");
  ASSERT_EQ(report.caught.size(), 2U);
  EXPECT_EQ(report.caught[0].title, "thread 2, stopped before its write of 8 bytes at 0x1000");
  EXPECT_EQ(report.caught[1].title, "thread 3, at its write of 8 bytes at 0x1000");
  EXPECT_EQ(report.value, "0x1 when they met");
  ASSERT_TRUE(report.again);
  EXPECT_EQ(report.again->reproduced, 5U);
  EXPECT_EQ(report.again->trials, 5U);
  EXPECT_EQ(report.harm, consequence::none_seen);
}

TEST_F(Judge, WhatOneThreadDoesIsNoRace) {
  made.under_tsan = [this](const std::vector<std::string>& options) {
    tsan_run run;
    if (!options.empty()) return run;  // it vanishes with any
    run.reports.push_back(made.race_between(made_up::store(), made_up::load()));
    run.reports.back().kind = racelab::tsan::report_kind::use_after_free;
    for (auto& access : run.reports.back().accesses) access.thread = 0;
    return run;
  };
  const judged_report report = only_report(1);
  EXPECT_EQ(report.what, verdict::unconfirmed);
  EXPECT_TRUE(has_evidence(report, "not-judged"));
}

// They come a second apart: a sleep orders nothing.
TEST_F(Judge, StallIsAsLongAsTheGapOfAMeeting) {
  report_race();
  made.watched = [&](const watch_request& request, watch_run& run) {
    const std::string rule = made.stall(request, made_up::store());
    run.found.events = {made_up::happening(event::kind::visit, 2, made_up::store(), 1),
                        made_up::happening(event::kind::visit, 3, made_up::load(), 1001)};
    if (stalled_ms(rule) > 1000) run.found.caught.push_back(made_up::pair(made_up::store(), made_up::load()));
  };
  EXPECT_EQ(only_report(5).what, verdict::confirmed);
}

// The value changed first, with nobody seen; the pair that comes later tells more.
TEST_F(Judge, OtherSideOfAChangeIsLookedFor) {
  report_race();
  bool changed = false;
  made.watched = [&](const watch_request& request, watch_run& run) {
    if (made.stall(request, made_up::store()).empty()) return;
    run.found.caught.push_back(changed ? made_up::pair(made_up::store(), made_up::load())
                                       : made_up::change(made_up::store()));
    changed = true;
  };
  const judged_report report = only_report(5);
  EXPECT_EQ(report.what, verdict::confirmed);
  EXPECT_EQ(report.caught.size(), 2U);
  EXPECT_TRUE(report.again);
}

TEST_F(Judge, ChangeAloneHasARecipeOfOneSite) {
  report_race();
  made.watched = [&](const watch_request& request, watch_run& run) {
    if (!made.stall(request, made_up::store()).empty())
      run.found.caught.push_back(made_up::change(made_up::store()));
  };
  const judged_report report = only_report(5);
  EXPECT_EQ(report.what, verdict::confirmed);
  EXPECT_EQ(report.caught.size(), 1U);
  ASSERT_TRUE(report.again);
  EXPECT_EQ(report.again->catches, catch_kind::change);
  EXPECT_EQ(report.again->sites.size(), 1U);
  EXPECT_EQ(report.again->reproduced, report.again->trials);
}

TEST_F(Judge, RecipeStallsTheVeryVisits) {
  report_race();
  catch_under_stalls();
  const judged_report report = only_report(5);
  ASSERT_TRUE(report.again);
  const std::string rest = " us=1000000 thread=2 visit=0 until=hit";
  ASSERT_FALSE(report.again->plan.empty());
  EXPECT_EQ(report.again->plan.front(), "stall " + made.modules().text(made_up::store()) + rest);
}

TEST_F(Judge, ForcedOrderThatCrashesIsTheConsequence) {
  report_race();
  made.watched = [this](const watch_request& request, watch_run& run) {
    const std::string rule = made.stall(request, made_up::store());
    if (rule.empty()) return;
    run.found.caught.push_back(made_up::pair(made_up::store(), made_up::load()));
    if (rule.find("linger=") == std::string::npos) return;
    run.end = {.exit_code = -1,
               .signal = 11,
               .timed_out = false,
               .output = "",
               .errors = "its stack",
               .milliseconds = 1};
  };
  const judged_report report = only_report(5);
  EXPECT_EQ(report.harm, consequence::crash);
  EXPECT_EQ(report.crash, "its stack");
}

TEST_F(Judge, ForcedRunTellsTheValuesBeforeAndAfter) {
  report_race();
  made.watched = [this](const watch_request& request, watch_run& run) {
    const std::string rule = made.stall(request, made_up::store());
    if (rule.empty()) return;
    run.found.caught.push_back(made_up::pair(made_up::store(), made_up::load()));
    if (!request.wants_events) return;
    run.found.events = {made_up::happening(event::kind::stall_began, 2, made_up::store(), 1),
                        made_up::happening(event::kind::hit, 3, made_up::load(), 2),
                        made_up::happening(event::kind::stall_ended, 2, made_up::store(), 3)};
    run.found.events.front().value = 7;
    run.found.events.back().value = 8;
  };
  EXPECT_EQ(only_report(5).value, "0x7 when they met, 0x8 after the other thread's write");
}

TEST_F(Judge, CaughtWithoutAReport) {
  made.watched = [this](const watch_request& request, watch_run& run) {
    if (request.built_in_policy || !made.stall(request, made_up::store()).empty())
      run.found.caught.push_back(made_up::pair(made_up::store(), made_up::load()));
  };
  const judged_report report = only_report(5);
  EXPECT_EQ(report.what, verdict::confirmed);
  EXPECT_FALSE(report.reported);
  EXPECT_TRUE(report.again);
}

// Neither ThreadSanitizer nor a stall at random has found it: a long stall at what was seen to meet does.
TEST_F(Judge, WhatMetInARunIsTriedWhereNothingWasReported) {
  made.sites = {made_up::store(), made_up::load()};
  made.watched = [this](const watch_request& request, watch_run& run) {
    if (!request.wants_events) return;
    run.found.events = {made_up::happening(event::kind::visit, 2, made_up::store(), 1),
                        made_up::happening(event::kind::visit, 3, made_up::load(), 11)};
    if (stalled_ms(made.stall(request, made_up::store())) > 100)
      run.found.caught.push_back(made_up::pair(made_up::store(), made_up::load()));
  };
  const judged_report report = only_report(5);
  EXPECT_EQ(report.what, verdict::confirmed);
  EXPECT_FALSE(report.reported);
}

TEST_F(Judge, ChangeUnderAStallIsConfirmed) {
  report_race();
  made.watched = [this](const watch_request& request, watch_run& run) {
    if (!made.stall(request, made_up::store()).empty())
      run.found.caught.push_back(made_up::change(made_up::store()));
  };
  const judged_report report = only_report(5);
  EXPECT_EQ(report.what, verdict::confirmed);
  EXPECT_TRUE(report.reported);
  EXPECT_TRUE(has_evidence(report, "changed"));
  EXPECT_EQ(report.value, "0x1 before, 0x2 after");
}

// Who wrote, and whether there is a report of it.
class UnprovenChange : public Judge, public testing::WithParamInterface<std::tuple<unseen_writes, bool>> {};

TEST_P(UnprovenChange, IsNotConfirmed) {
  const auto& [by, reported] = GetParam();
  if (reported) report_race();
  made.watched = [&](const watch_request& request, watch_run& run) {
    if (!request.built_in_policy && made.stall(request, made_up::store()).empty()) return;
    run.found.caught.push_back(made_up::change(made_up::store()));
    run.found.caught.back().writes = by;
  };
  const judgement all = judge(5);
  if (!reported) {
    EXPECT_TRUE(all.reports.empty());
    EXPECT_EQ(all.notes.size(), 1U);
    return;
  }
  ASSERT_EQ(all.reports.size(), 1U);
  EXPECT_EQ(all.reports[0].what, verdict::unconfirmed);
  EXPECT_TRUE(has_evidence(all.reports[0], "unseen-writer"));
  EXPECT_TRUE(all.reports[0].caught.empty());
  EXPECT_FALSE(all.reports[0].again);
}

INSTANTIATE_TEST_SUITE_P(
    By, UnprovenChange,
    testing::Combine(
        testing::Values(
            unseen_writes{.watched = true, .mapped_twice = false, .by = {{made_up::store(), true}}},
            unseen_writes{.watched = true, .mapped_twice = false, .by = {{made_up::store(), false}}},
            unseen_writes{.watched = true, .mapped_twice = false, .by = {}},
            unseen_writes{.watched = false, .mapped_twice = true, .by = {}}),
        testing::Bool()),
    [](const auto& each) { return "Case" + std::to_string(each.index); });

TEST_F(Judge, VanishesUnderStrongerAtomics) {
  report_race("force_seq_cst_atomics=1");
  const judged_report report = only_report(2);
  EXPECT_EQ(report.what, verdict::ordering_only);
  EXPECT_TRUE(has_evidence(report, "vanishes"));
  EXPECT_TRUE(has_evidence(report, "not-caught"));
}

TEST_F(Judge, AtomicThatIsTooWeakIsNamed) {
  report_race("force_seq_cst_atomics=1");
  made.watched = [](const watch_request& /*request*/, watch_run& run) {
    run.found.events = {made_up::happening(event::kind::visit, 2, made_up::store(), 1),
                        made_up::happening(event::kind::visit, 2, made_up::erase(), 2),
                        made_up::happening(event::kind::visit, 3, made_up::insert(), 3),
                        made_up::happening(event::kind::visit, 3, made_up::load(), 4)};
    for (const std::size_t i : {1U, 2U}) {
      run.found.events[i].atomic = true;
      run.found.events[i].address = 2 * made_up::address;
    }
  };
  const judged_report report = only_report(2);
  EXPECT_EQ(report.what, verdict::ordering_only);
  EXPECT_NE(report.reason.find("hangs on the relaxed operation in "), std::string::npos) << report.reason;
}

TEST_F(Judge, VanishesWithoutLibraries) {
  report_race("ignore_noninstrumented_modules=1", [](racelab::tsan::report& report) {
    auto& frames = report.accesses.front().where.frames;
    frames.insert(frames.begin(), racelab::tsan::frame{});
    frames.front().function = "push";
    frames.front().module = made_up::plain_library;
  });
  const judged_report report = only_report(2);
  EXPECT_EQ(report.what, verdict::likely_false);
  EXPECT_EQ(report.cause, "uninstrumented-library");
}

// What the library does among its own threads is no matter of the race that was caught, and nobody can be stalled there.
TEST_F(Judge, ReportOfALibraryAloneVanishesWithoutItThoughSomethingElseWasCaught) {
  made.under_tsan = [this](const std::vector<std::string>& options) {
    tsan_run run;
    run.reports.push_back(made.race_between(made_up::store(), made_up::load()));
    if (!options.empty() && options.front() == "ignore_noninstrumented_modules=1") return run;
    run.reports.push_back(made.race_between(made_up::store(), made_up::load()));
    for (auto& access : run.reports.back().accesses) {
      access.where.frames.resize(1);
      access.where.frames.front() = {};
      access.where.frames.front().module = made_up::plain_library;
    }
    return run;
  };
  catch_under_stalls();
  const judgement all = judge(3);
  ASSERT_EQ(all.reports.size(), 2U);
  EXPECT_EQ(all.reports[0].what, verdict::confirmed);
  EXPECT_EQ(all.reports[1].what, verdict::likely_false);
  EXPECT_EQ(all.reports[1].cause, "uninstrumented-library");
  EXPECT_LT(all.seconds, 2) << "there is nothing left to do";
}

TEST_F(Judge, VanishingOfWhatIsNoLibrarysSaysNothing) {
  report_race("ignore_noninstrumented_modules=1");
  EXPECT_EQ(only_report(2).what, verdict::unconfirmed);
}

TEST_F(Judge, WhoWaitsWhereNothingIsSeen) {
  report_race();
  meet([](double stalled_ms) { return stalled_ms + 0.2; });
  const judged_report report = only_report(3);
  EXPECT_EQ(report.what, verdict::likely_false);
  EXPECT_EQ(report.cause, "asm-lock");
  const auto delay = std::ranges::find(report.why, "delay", &evidence_item::type);
  ASSERT_NE(delay, report.why.end());
  EXPECT_GE(delay->points.size(), 20U);
  EXPECT_TRUE(has_evidence(report, "mechanism"));
}

// The waiting thread polls plain memory, and `by` writes there.
class PollingJudge : public Judge {
 protected:
  judged_report polled_word_written(const std::optional<std::vector<unseen_writes::write>>& by) {
    report_race();
    meet([](double stalled_ms) { return stalled_ms + 0.2; });
    made.sites = {made_up::store(), made_up::load(), made_up::take_lock()};
    made.watched = [this, by, plain = made.watched](const watch_request& request, watch_run& run) {
      plain(request, run);
      for (bystanders& each : run.found.others)
        each.threads.front().stack = {__tsan_made_up_read(), made_up::take_lock()};
      if (!by || made.stall(request, made_up::take_lock()).find("writers=1") == std::string::npos) return;
      run.found.caught.push_back(made_up::change(made_up::take_lock()));
      run.found.caught.back().writes = unseen_writes{.watched = true, .mapped_twice = false, .by = *by};
    };
    return only_report(4);
  }
};

TEST_F(PollingJudge, WordThatAssemblyWritesIsALocks) {
  const judged_report report = polled_word_written({{{made_up::store(), false}}});
  EXPECT_EQ(report.what, verdict::likely_false);
  EXPECT_EQ(report.cause, "asm-lock");
}

TEST_F(PollingJudge, WordThatNobodyIsSeenToWriteIsARaceItself) {
  EXPECT_EQ(polled_word_written(std::vector<unseen_writes::write>{}).what, verdict::ordering_only);
}

TEST_F(PollingJudge, WordThatNobodyWritesIsNotWhatItWaitsFor) {
  EXPECT_EQ(polled_word_written(std::nullopt).what, verdict::unconfirmed);
}

// As an OpenMP reduction adds: the one before can be delayed, though nobody can be caught there.
TEST_F(Judge, WhoWaitsForAnAtomicOperation) {
  report_race();
  meet([](double stalled_ms) { return stalled_ms + 0.2; });
  const auto plain = made.watched;
  made.watched = [this, plain](const watch_request& request, watch_run& run) {
    const std::string rule = made.stall(request, made_up::store());
    const bool delays = rule.find("atomics=1") != std::string::npos;
    plain(request, run);
    for (event& each : run.found.events) {
      if (each.pc != made_up::store()) continue;
      each.atomic = true;
      if (!delays) each.what = event::kind::visit;
    }
  };
  const judged_report report = only_report(3);
  EXPECT_EQ(report.what, verdict::likely_false);
  EXPECT_EQ(report.cause, "asm-lock");
}

TEST_F(Judge, WhoComesWheneverItLikesIsUnconfirmed) {
  report_race();
  meet([](double /*stalled_ms*/) { return 0.5; });
  const judged_report report = only_report(1);
  EXPECT_EQ(report.what, verdict::unconfirmed);
  EXPECT_TRUE(has_evidence(report, "delay"));
  // All runs count, those that came after the search for causes too.
  const auto not_caught = std::ranges::find(report.why, "not-caught", &evidence_item::type);
  ASSERT_NE(not_caught, report.why.end());
  EXPECT_EQ(not_caught->detail, "both threads were not caught in " + std::to_string(report.trials) + " runs");
}

TEST_F(Judge, OptionIsNotTriedAgainOnceTheReportWasSeenWithIt) {
  unsigned with_option = 0;
  made.under_tsan = [&](const std::vector<std::string>& options) {
    with_option += options.empty() ? 0 : 1;
    tsan_run run;
    run.reports.push_back(made.race_between(made_up::store(), made_up::load()));
    return run;
  };
  EXPECT_EQ(only_report(1).what, verdict::unconfirmed);
  EXPECT_EQ(with_option, 1U);
}

// It comes after the stall, and after other work that takes as long: the line through the points is not known well.
double late_and_unsteady(double stalled_ms) { return stalled_ms + 10 + 8 * std::sin(stalled_ms * 100); }

TEST_F(Judge, WhatArcherOrdersTakesFewerDelays) {
  report_race();
  meet(late_and_unsteady);
  made.is_seen_by_archer = [] { return false; };
  const judged_report report = only_report(5);
  EXPECT_EQ(report.what, verdict::likely_false);
  EXPECT_EQ(report.cause, "openmp");
  const auto vanishes = std::ranges::find(report.why, "vanishes", &evidence_item::type);
  ASSERT_NE(vanishes, report.why.end());
  EXPECT_TRUE(vanishes->detail.ends_with("in 0 of 6 with Archer")) << vanishes->detail;
  const auto delay = std::ranges::find(report.why, "delay", &evidence_item::type);
  ASSERT_NE(delay, report.why.end());
  EXPECT_LT(delay->points.size(), 20U);
  EXPECT_TRUE(delay->detail.ends_with("so it seems to wait, as Archer says")) << delay->detail;
}

TEST_F(Judge, WhatArcherOrdersIsUnconfirmedIfItComesWheneverItLikes) {
  report_race();
  meet([](double /*stalled_ms*/) { return 0.5; });
  made.is_seen_by_archer = [] { return false; };
  const judged_report report = only_report(2);
  EXPECT_EQ(report.what, verdict::unconfirmed);
  EXPECT_TRUE(has_evidence(report, "vanishes"));
}

TEST_F(Judge, WhatIsReportedWithArcherTooIsNotExcusedByIt) {
  report_race();
  meet(late_and_unsteady);
  unsigned with_archer = 0;
  made.is_seen_by_archer = [&] { return ++with_archer != 0; };
  const judged_report report = only_report(2);
  EXPECT_NE(report.cause, "openmp");
  EXPECT_FALSE(has_evidence(report, "vanishes"));
  EXPECT_EQ(with_archer, 1U);
}

// Two reports, one lock: what a run with a stall at each tells of both is not asked twice.
TEST_F(Judge, ReportsAreAskedInTheSameRuns) {
  made.sites = {made_up::store(), made_up::load(), made_up::erase(), made_up::insert()};
  made.under_tsan = [this](const std::vector<std::string>& /*options*/) {
    tsan_run run;
    run.reports.push_back(made.race_between(made_up::store(), made_up::load()));
    run.reports.push_back(made.race_between(made_up::erase(), made_up::insert()));
    return run;
  };
  unsigned of_both = 0;
  made.watched = [&](const watch_request& request, watch_run& run) {
    const auto meet_at = [&](const place& first, const place& second, double begin_ms) {
      const std::string rule = made.stall(request, first);
      const double ms = stalled_ms(rule);
      std::vector<event> events{
          made_up::happening(rule.empty() ? event::kind::visit : event::kind::stall_began, 2, first,
                             begin_ms),
          made_up::happening(event::kind::visit, 3, second, begin_ms + ms + 0.2)};
      if (!rule.empty())
        events.push_back(made_up::happening(event::kind::stall_ended, 2, first, begin_ms + ms));
      for (event& each : events) {
        each.address = static_cast<std::uint64_t>(begin_ms) * made_up::address;
        run.found.events.push_back(each);
      }
      if (rule.empty()) return;
      run.found.others.push_back(
          {.stalled = made_up::writer(2, first),
           .threads = {{.thread = 3, .stack = {made_up::take_lock()}, .created_by = {}}}});
    };
    meet_at(made_up::store(), made_up::load(), 1);
    meet_at(made_up::erase(), made_up::insert(), 1000);
    std::ranges::sort(run.found.events, {}, &event::time_ns);
    if (run.found.others.size() == 2) ++of_both;
  };
  const judgement all = judge(3);
  ASSERT_EQ(all.reports.size(), 2U);
  for (const judged_report& each : all.reports) {
    EXPECT_EQ(each.what, verdict::likely_false);
    const auto delay = std::ranges::find(each.why, "delay", &evidence_item::type);
    ASSERT_NE(delay, each.why.end());
    EXPECT_GE(delay->points.size(), 20U);
  }
  EXPECT_GE(of_both, 20U);
  EXPECT_TRUE(all.notes.empty());
}

TEST_F(Judge, ReportsThatThereIsNoTimeToAskAreNoted) {
  report_race();
  meet([](double stalled_ms) { return stalled_ms + 0.2; });
  const auto slow = made.watched;
  made.watched = [slow](const watch_request& request, watch_run& run) {
    slow(request, run);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  };
  const judgement all = judge(0.3);
  ASSERT_EQ(all.notes.size(), 1U);
  EXPECT_NE(all.notes.front().find("--budget"), std::string::npos);
}

TEST_F(Judge, SiteThatNoRunComesTo) {
  report_race();
  made.sites = {made_up::store()};
  const judged_report report = only_report(1);
  EXPECT_EQ(report.what, verdict::unconfirmed);
  EXPECT_TRUE(has_evidence(report, "not-reached"));
}

TEST_F(Judge, CaughtLateIsNotCalledNotCaught) {
  bool was_asked_why = false;
  made.under_tsan = [&](const std::vector<std::string>& options) {
    was_asked_why = was_asked_why || !options.empty();
    tsan_run run;
    run.reports.push_back(made.race_between(made_up::store(), made_up::load()));
    return run;
  };
  made.watched = [&](const watch_request& request, watch_run& run) {
    if (was_asked_why && !made.stall(request, made_up::store()).empty())
      run.found.caught.push_back(made_up::pair(made_up::store(), made_up::load()));
  };
  const judged_report report = only_report(3);
  EXPECT_TRUE(was_asked_why);
  EXPECT_EQ(report.what, verdict::confirmed);
  EXPECT_FALSE(has_evidence(report, "not-caught"));
}

TEST_F(Judge, GivenReportsNeedNoThreadSanitizer) {
  settings.given = {made.race_between(made_up::store(), made_up::load())};
  catch_under_stalls();
  const judged_report report = only_report(5);
  EXPECT_EQ(report.what, verdict::confirmed);
  EXPECT_EQ(made.tsan_runs, 0U);
}

TEST_F(Judge, StoppedBeforeAnythingWasWatched) {
  report_race();
  made.is_stopped = [this] { return made.tsan_runs == 1; };
  const judgement all = judge(5);
  EXPECT_TRUE(all.interrupted);
  EXPECT_EQ(all.watch_runs, 0U);
  ASSERT_EQ(all.reports.size(), 1U);
  EXPECT_EQ(all.reports.front().what, verdict::unconfirmed);
}

// oneTBB's do, for one.
TEST_F(Judge, ProgramThatDiesOfAnOverwrittenHeapAloneIsRunWithout) {
  report_race();
  unsigned with_marks = 0;
  unsigned without = 0;
  made.watched = [&](const watch_request& request, watch_run& run) {
    ++(request.marks_heap ? with_marks : without);
    if (request.marks_heap) run.end.signal = 11;
    if (!made.stall(request, made_up::store()).empty())
      run.found.caught.push_back(made_up::pair(made_up::store(), made_up::load()));
  };
  const judgement all = judge(5);
  EXPECT_EQ(with_marks, 3U);
  EXPECT_GT(without, 3U);
  ASSERT_EQ(all.notes.size(), 1U);
  EXPECT_NE(all.notes[0].find("MALLOC_PERTURB_"), std::string::npos);
  ASSERT_EQ(all.reports.size(), 1U);
  ASSERT_TRUE(all.reports[0].again);
  EXPECT_FALSE(all.reports[0].again->marks_heap);
  EXPECT_EQ(all.reports[0].harm, consequence::none_seen);
}

TEST_F(Judge, ProgramThatDiesAnywayIsRunAsUsual) {
  report_race();
  made.watched = [&](const watch_request&, watch_run& run) { run.end.signal = 11; };
  const judgement all = judge(1);
  ASSERT_FALSE(all.notes.empty());
  EXPECT_NE(all.notes[0].find("dies when nothing is stalled"), std::string::npos);
}

// A forced run that was interrupted has not ended in another way than an undisturbed one.
TEST_F(Judge, StoppedWhileAnOrderIsForced) {
  report_race();
  bool stopped = false;
  made.is_stopped = [&] { return stopped; };
  made.watched = [&](const watch_request& request, watch_run& run) {
    const std::string rule = made.stall(request, made_up::store());
    if (rule.empty()) return;
    run.found.caught.push_back(made_up::pair(made_up::store(), made_up::load()));
    if (rule.find("linger=") == std::string::npos) return;
    stopped = true;
    run.end.exit_code = -1;
  };
  const judged_report report = only_report(5);
  EXPECT_EQ(report.what, verdict::confirmed);
  EXPECT_FALSE(report.harm);
}

TEST_F(Judge, ProgramThatNeverEndsIsGivenLittleTime) {
  report_race();
  made.watched = [](const watch_request& /*request*/, watch_run& run) {
    run.end.timed_out = true;
    run.end.milliseconds = 1000;
  };
  const judgement all = judge(1);
  ASSERT_EQ(all.notes.size(), 1U);
  ASSERT_GT(made.requests.size(), 1U);
  EXPECT_EQ(made.requests[1].timeout, std::chrono::milliseconds(1000));
}

TEST_F(Judge, ProgramThatNeverEndsIsGivenMoreWhereItDoesNotComeToTheReport) {
  report_race();
  made.sites.clear();
  made.watched = [](const watch_request& /*request*/, watch_run& run) { run.end.timed_out = true; };
  (void)judge(1);
  const auto more = [](const watch_request& each) { return each.timeout >= std::chrono::milliseconds(4000); };
  EXPECT_TRUE(std::ranges::any_of(made.requests, more));
}

class LockOrders : public Judge {
 protected:
  LockOrders() {
    made.under_tsan = [this](const std::vector<std::string>& /*options*/) {
      tsan_run run;
      run.reports.push_back(made.inversion_between(made_up::store(), made_up::load()));
      return run;
    };
  }

  static nested_lock nested(unsigned thread, const std::string& mutex, const std::vector<std::string>& held,
                            std::set<unsigned> alive = {1, 2, 3}) {
    return {.where = {.thread = thread, .stack = {made_up::store()}, .created_by = {}},
            .mutex = mutex,
            .held = held,
            .alive = std::move(alive)};
  }

  void end_in_a_deadlock() {
    made.watched = [](const watch_request& request, watch_run& run) {
      if (request.options.empty()) return;
      const auto waiter = [](unsigned thread, const place& at, const std::string& waits,
                             const std::string& holds) {
        return deadlock::waiter{.where = {.thread = thread, .stack = {at}, .created_by = {}},
                                .waits_for = waits,
                                .holds = {holds}};
      };
      run.found.deadlocks.push_back({.waiters = {waiter(2, made_up::store(), "0x10", "0x20"),
                                                 waiter(3, made_up::load(), "0x20", "0x10")}});
      run.end.exit_code = 3;
    };
  }

  void take(const std::vector<nested_lock>& locks) {
    made.watched = [locks](const watch_request& request, watch_run& run) {
      if (!request.options.empty()) run.found.nested_locks = locks;
    };
  }
};

TEST_F(LockOrders, DeadlockThatHappensIsConfirmed) {
  end_in_a_deadlock();
  const judged_report report = only_report(5);
  EXPECT_EQ(report.what, verdict::confirmed);
  EXPECT_EQ(report.harm, consequence::hang);
  EXPECT_EQ(report.caught.size(), 2U);
  EXPECT_TRUE(report.reported);
  ASSERT_TRUE(report.again);
  EXPECT_EQ(report.again->catches, catch_kind::deadlock);
  EXPECT_FALSE(report.again->options.empty());
  EXPECT_EQ(report.again->sites.size(), 2U);
  EXPECT_EQ(report.again->reproduced, report.again->trials);
}

TEST_F(LockOrders, DeadlockThatCameBeforeItsReportIsFoundAllTheSame) {
  made.under_tsan = nullptr;
  end_in_a_deadlock();
  const judged_report report = only_report(1);
  EXPECT_EQ(report.what, verdict::confirmed);
  EXPECT_EQ(report.kind, "lock-order-inversion");
  EXPECT_EQ(report.sites.size(), 2U);
  EXPECT_EQ(report.caught.size(), 2U);
  EXPECT_FALSE(report.reported);
}

TEST_F(LockOrders, GateIsTheCause) {
  take({nested(2, "0x10", {"0x1"}), nested(2, "0x20", {"0x1", "0x10"}), nested(3, "0x10", {"0x1", "0x20"})});
  const judged_report report = only_report(1);
  EXPECT_EQ(report.what, verdict::likely_false);
  EXPECT_EQ(report.cause, "gate-lock");
}

TEST_F(LockOrders, GateThatIsNotAlwaysHeldIsNone) {
  bool first = true;
  made.watched = [&](const watch_request& request, watch_run& run) {
    if (request.options.empty()) return;
    const std::vector<std::string> gate =
        std::exchange(first, false) ? std::vector<std::string>{} : std::vector<std::string>{"0x1"};
    for (const auto& [mutex, other] : {std::pair("0x10", "0x20"), std::pair("0x20", "0x10")}) {
      std::vector<std::string> held = gate;
      held.emplace_back(other);
      run.found.nested_locks.push_back(nested(mutex == std::string("0x10") ? 2 : 3, mutex, held));
    }
  };
  EXPECT_EQ(only_report(1).what, verdict::unconfirmed);
}

TEST_F(LockOrders, ThreadsThatAreNeverThereTogetherAreTheCause) {
  take({nested(2, "0x10", {"0x20"}, {1, 2}), nested(3, "0x20", {"0x10"}, {1, 3})});
  const judged_report report = only_report(1);
  EXPECT_EQ(report.what, verdict::likely_false);
  EXPECT_EQ(report.cause, "lock-order-history");
}

TEST_F(LockOrders, ThreadsThatAreOnceThereTogetherAreNoCause) {
  bool first = true;
  made.watched = [&](const watch_request& request, watch_run& run) {
    if (request.options.empty()) return;
    const std::set<unsigned> others =
        std::exchange(first, false) ? std::set<unsigned>{2, 3} : std::set<unsigned>{3};
    run.found.nested_locks = {nested(2, "0x10", {"0x20"}, {1, 2}), nested(3, "0x20", {"0x10"}, others)};
  };
  EXPECT_EQ(only_report(1).what, verdict::unconfirmed);
}

TEST_F(LockOrders, NoCycleSaysNothing) {
  take({nested(2, "0x20", {"0x10"})});
  const judged_report report = only_report(1);
  EXPECT_EQ(report.what, verdict::unconfirmed);
  EXPECT_TRUE(has_evidence(report, "not-caught"));
}

}  // namespace
