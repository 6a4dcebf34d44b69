#include "lab/trials.hpp"

#include <gtest/gtest.h>

#include <sys/stat.h>

#include <csignal>
#include <map>
#include <set>
#include <system_error>

#include "tests/lab/fake_lab.hpp"

namespace racelab::lab {
namespace {

TEST(Trials, EachIsDoneOnceUnderItsNumber) {
  const tests::fake_lab files;
  trial_request request;
  request.program = files.script("program", "echo $1; exit $2");
  std::size_t launched = 0;
  std::map<std::size_t, trial_result> results;
  const int stopped_by = run_trials(
      3,
      {.next = [&]() -> std::optional<trial_request> {
         if (launched == 50) return std::nullopt;
         request.arguments = {std::to_string(launched), std::to_string(launched % 2 == 0 ? 0 : 3)};
         ++launched;
         return request;
       },
       .done = [&](std::size_t number,
                   trial_result result) { EXPECT_TRUE(results.emplace(number, std::move(result)).second); },
       .tick = {}});
  EXPECT_EQ(stopped_by, 0);
  ASSERT_EQ(results.size(), 50U);
  for (const auto& [number, result] : results) {
    EXPECT_EQ(result.standard_output, std::to_string(number) + "\n");
    EXPECT_EQ(result.what, number % 2 == 0 ? outcome::intact : outcome::other);
  }
}

TEST(Trials, AsManyAsAskedForRunAtATime) {
  // Each of two programs waits for the other one's line: only together do they end.
  const tests::fake_lab files;
  trial_request request;
  request.program = "/bin/sh";
  const std::string a = (files / "a").string();
  const std::string b = (files / "b").string();
  const std::vector<std::string> scripts{
      "mkfifo " + a + " " + b + "; echo x > " + a + "; read line < " + b,
      "until [ -p " + b + " ]; do :; done; read line < " + a + "; echo x > " + b};
  std::size_t launched = 0;
  std::vector<outcome> outcomes;
  run_trials(2, {.next = [&]() -> std::optional<trial_request> {
                   if (launched == scripts.size()) return std::nullopt;
                   request.arguments = {"-c", scripts[launched++]};
                   return request;
                 },
                 .done = [&](std::size_t /*number*/,
                             const trial_result& result) { outcomes.push_back(result.what); },
                 .tick = {}});
  EXPECT_EQ(outcomes, (std::vector<outcome>{outcome::intact, outcome::intact}));
}

TEST(Trials, NoneIsNoWork) {
  EXPECT_EQ(run_trials(4, {.next = [] { return std::nullopt; }, .done = {}, .tick = {}}), 0);
}

TEST(Trials, AfterALaunchThatFailsNothingIsLeft) {
  const tests::fake_lab files;
  const std::string pipe = (files / "pipe").string();
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  trial_request hang;
  hang.program = files.script(
      "hang", "echo $$ > " + (files / "pid").string() + "; echo > " + pipe + "; exec sleep 1000");
  trial_request first;
  first.program = files.script("first", "read line < " + pipe);
  trial_request missing;
  missing.program = files / "missing";
  std::size_t launched = 0;
  const std::vector<trial_request> all{hang, first, missing};
  EXPECT_THROW(run_trials(2, {.next = [&]() -> std::optional<trial_request> { return all[launched++]; },
                              .done = [](std::size_t /*number*/, const trial_result& /*result*/) {},
                              .tick = {}}),
               std::system_error);
  EXPECT_TRUE(tests::is_gone(files.read("pid")));
}

TEST(Trials, ASignalStopsThemAll) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    const tests::fake_lab files;
    trial_request request;
    request.program = "/bin/sh";
    // Its parent is the program that runs this test.
    request.arguments = {"-c", "echo $$ > " + (files / "pid").string() + "; kill -" + std::to_string(signal) +
                                   " $PPID; exec sleep 1000"};
    std::size_t done = 0;
    EXPECT_EQ(run_trials(1, {.next = [&]() -> std::optional<trial_request> { return request; },
                             .done = [&](std::size_t /*number*/, const trial_result& /*result*/) { ++done; },
                             .tick = {}}),
              signal);
    EXPECT_EQ(done, 0U);
    EXPECT_TRUE(tests::is_gone(files.read("pid")));
  }
}

TEST(Trials, TicksComeWhileTheyRun) {
  std::size_t launched = 0;
  int ticks = 0;
  trial_request request;
  request.program = "/bin/sh";
  request.arguments = {"-c", "exec sleep 1000"};
  request.timeout = std::chrono::milliseconds(500);
  run_trials(1, {.next = [&]() -> std::optional<trial_request> {
                   if (launched++ == 1) return std::nullopt;
                   return request;
                 },
                 .done = [](std::size_t /*number*/, const trial_result& /*result*/) {},
                 .tick = [&] { ++ticks; }});
  EXPECT_GE(ticks, 2);
}

}  // namespace
}  // namespace racelab::lab
