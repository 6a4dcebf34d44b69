#include "lab/stop_signals.hpp"

#include <gtest/gtest.h>

#include <csignal>

#include "lab/trials.hpp"
#include "tests/lab/fake_lab.hpp"

namespace racelab::lab {
namespace {

TEST(StopSignals, AreKeptFromEndingTheProcess) {
  stop_signals stop;
  EXPECT_EQ(stop.seen(), 0);
  std::raise(SIGTERM);
  std::raise(SIGINT);
  EXPECT_EQ(stop.seen(), SIGTERM);
}

TEST(StopSignals, AreSeenAfterATrialThatTheyStopped) {
  const tests::fake_lab files;
  trial_request request;
  request.program = files.script("program", "kill -HUP $PPID; while :; do :; done");
  stop_signals stop;
  EXPECT_THROW((void)run_trial(request), std::runtime_error);
  EXPECT_EQ(stop.seen(), SIGHUP);
}

// A trial's own handling of signals has come and gone.
TEST(StopSignals, AreKeptAfterATrialToo) {
  const tests::fake_lab files;
  trial_request request;
  request.program = files.script("program", "exit 0");
  stop_signals stop;
  (void)run_trial(request);
  std::raise(SIGINT);
  EXPECT_EQ(stop.seen(), SIGINT);
}

}  // namespace
}  // namespace racelab::lab
