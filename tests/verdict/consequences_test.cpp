#include "sanitizers/verdict/consequences.hpp"

#include <gtest/gtest.h>

namespace {

using namespace racelab::verdict;

ending exits(int code, const std::string& output = "", const std::string& errors = "") {
  return {.exit_code = code,
          .signal = 0,
          .timed_out = false,
          .output = output,
          .errors = errors,
          .milliseconds = 1};
}

ending dies(int signal) {
  return {
      .exit_code = -1, .signal = signal, .timed_out = false, .output = "", .errors = "", .milliseconds = 1};
}

ending hangs() {
  return {.exit_code = -1, .signal = 9, .timed_out = true, .output = "", .errors = "", .milliseconds = 2500};
}

const std::vector<ending> well{exits(0, "7\n"), exits(0, "7\n"), exits(0, "7\n")};

TEST(Compare, AsUndisturbed) { EXPECT_EQ(compare(exits(0, "7\n"), well).first, consequence::none_seen); }

TEST(Compare, Crash) {
  EXPECT_EQ(compare(dies(11), well), std::pair(consequence::crash, std::string("signal 11")));
  EXPECT_EQ(compare(dies(11), {dies(11)}).first, consequence::none_seen);
  EXPECT_EQ(compare(dies(11), {dies(6)}).first, consequence::crash);
}

TEST(Compare, Hang) {
  EXPECT_EQ(compare(hangs(), well), std::pair(consequence::hang, std::string("no end within 2.5 s")));
  EXPECT_EQ(compare(hangs(), {hangs()}).first, consequence::none_seen);
}

TEST(Compare, BrokenInvariantIsQuoted) {
  EXPECT_EQ(compare(exits(1, "7\ncorrupt: 49 keys\nmore\n"), well),
            std::pair(consequence::broken_invariant, std::string("corrupt: 49 keys")));
  EXPECT_EQ(compare(exits(1, "", "corrupt: 49 keys"), well).first, consequence::broken_invariant);
  EXPECT_EQ(compare(exits(1, "it is corrupt: yes\n"), well).first, consequence::other_exit);
}

TEST(Compare, ExitCode) {
  EXPECT_EQ(compare(exits(4), well),
            std::pair(consequence::other_exit, std::string("exit 4 instead of exit 0")));
  EXPECT_EQ(compare(exits(4), {exits(0), exits(4)}).first, consequence::none_seen);
}

TEST(Compare, OutputOfASteadyProgramAlone) {
  EXPECT_EQ(compare(exits(0, "8\n"), well).first, consequence::other_output);
  EXPECT_EQ(compare(exits(0, "8\n"), {exits(0, "7\n"), exits(0, "9\n")}).first, consequence::none_seen);
  EXPECT_EQ(compare(exits(0, "8\n"), {exits(0, "7\n")}).first, consequence::none_seen);  // one says nothing
}

}  // namespace
