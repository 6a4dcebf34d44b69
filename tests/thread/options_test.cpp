#include "sanitizers/thread/options.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <set>
#include <string>

namespace racelab::tsan {
namespace {

TEST(TsanOptions, EveryOneHasItsReasonAndStandsOnce) {
  std::set<std::string_view> names;
  for (const option& each : options()) {
    EXPECT_TRUE(names.insert(each.name).second) << each.name;
    EXPECT_FALSE(each.value.empty()) << each.name;
    EXPECT_FALSE(each.reason.empty()) << each.name;
    EXPECT_TRUE(each.runtimes == "any" || runtime_named(each.runtimes)) << each.name << ": " << each.runtimes;
  }
  for (const suppression& each : suppressions()) {
    EXPECT_FALSE(each.reason.empty()) << each.line();
    EXPECT_TRUE(each.runtimes == "any" || runtime_named(each.runtimes)) << each.line();
  }
}

TEST(TsanOptions, EachRuntimeGetsItsOwn) {
  const std::string llvm = options_text(runtime::llvm, "", "", {});
  const std::string gcc = options_text(runtime::gcc, "", "", {});
  EXPECT_EQ(llvm.find("history_size"), std::string::npos);
  EXPECT_NE(gcc.find("history_size=4"), std::string::npos);
  for (const std::string& each : {llvm, gcc}) {
    EXPECT_EQ(each.rfind("exitcode=66 ", 0), 0U) << each;
    EXPECT_NE(each.find(" atexit_sleep_ms=0"), std::string::npos);
    EXPECT_EQ(each.find("log_path"), std::string::npos) << "no file was named";
  }
}

TEST(TsanOptions, FilesAndMoreOptionsComeLast) {
  const std::array<std::string, 2> more{"history_size=7", "io_sync=2"};
  const std::string text = options_text(runtime::gcc, "/tmp/log", "/tmp/list", more);
  EXPECT_NE(text.find("history_size=4"), std::string::npos);
  EXPECT_TRUE(text.ends_with(" log_path=/tmp/log suppressions=/tmp/list history_size=7 io_sync=2")) << text;
}

constexpr std::array three{suppression{"race", "^one$", "any", "one_map", "a reason"},
                           suppression{"deadlock", "two", "gcc", "one_map", "a reason"},
                           suppression{"race", "three", "any", "other_map", "a reason"}};

TEST(TsanSuppressions, AreGivenByRuntimeAndMap) {
  const auto lines = [](runtime which, std::string_view map) {
    std::vector<std::string> result;
    for (const suppression& each : suppressions_for(three, which, map)) result.push_back(each.line());
    return result;
  };
  using strings = std::vector<std::string>;
  EXPECT_EQ(lines(runtime::llvm, "one_map"), strings{"race:^one$"});
  EXPECT_EQ(lines(runtime::gcc, "one_map"), (strings{"race:^one$", "deadlock:two"}));
  EXPECT_EQ(lines(runtime::llvm, "other_map"), strings{"race:three"});
  EXPECT_EQ(lines(runtime::llvm, "third_map"), strings{});
}

TEST(TsanSuppressions, TheUsedOnesAreReadFromTheLog) {
  // As LLVM 22 prints it; gcc 12 does the same.
  const std::string log =
      "WARNING: ThreadSanitizer: data race (pid=1)\n"
      "  7 is no count here\n"
      "ThreadSanitizer: Matched 3 suppressions (pid=26509):\n"
      "2 race:^one$\n"
      "1 called_from_lib:libtbb.so\n"
      "ThreadSanitizer: reported 1 warnings\n"
      "8 race:after the list\n";
  EXPECT_EQ(used_suppressions(log), (std::vector<std::string>{"race:^one$", "called_from_lib:libtbb.so"}));
  EXPECT_TRUE(used_suppressions("").empty());
}

}  // namespace
}  // namespace racelab::tsan
