// Lines that no small program prints at will, or that no program of ours does.
#include "sanitizers/thread/log_parser.hpp"

#include <gtest/gtest.h>

#include <string>

#include "sanitizers/thread/frame_line.hpp"
#include "sanitizers/thread/log_line.hpp"
#include "tests/thread/read_goldens.hpp"

namespace {

using namespace racelab;
using racelab::tests::parse;
using racelab::tests::parsed;
using tsan::report_kind;

std::string stream(std::string_view prefix) {
  std::string result;
  tsan::stream_of(prefix, result);
  return result;
}

// A race between f and g, whole.
std::string race(const std::string& prefix, const std::string& f, const std::string& g) {
  std::string text;
  for (const std::string& line :
       {std::string("=================="), std::string("WARNING: ThreadSanitizer: data race (pid=7)"),
        std::string("  Write of size 4 at 0x7b0400000010 by thread T1:"),
        "    #0 " + f + " /src/a.cpp:1:2 (p+0x10)", std::string(),
        std::string("  Previous read of size 4 at 0x7b0400000010 by main thread:"),
        "    #0 " + g + " /src/b.cpp:3:4 (p+0x20)", std::string(),
        std::string("SUMMARY: ThreadSanitizer: data race /src/a.cpp:1:2 in f"),
        std::string("==================")}) {
    text += prefix + line + "\n";
  }
  return text;
}

TEST(FrameLine, IsTakenApart) {
  const tsan::frame whole =
      tsan::parse_frame("m::f(int, char const*) const /a b/x.cpp:12:3 (prog+0x4a5b) (BuildId: 12ab)");
  EXPECT_EQ(whole.function, "m::f(int, char const*) const");
  EXPECT_EQ(whole.file, "/a b/x.cpp");
  EXPECT_EQ(whole.line, 12U);
  EXPECT_EQ(whole.column, 3U);
  EXPECT_EQ(whole.module, "prog");
  EXPECT_EQ(whole.offset, 0x4a5bU);
  EXPECT_EQ(whole.build_id, "12ab");
}

TEST(FrameLine, MayLackAnything) {
  EXPECT_EQ(tsan::parse_frame("f() repro/x.cpp:3 (p+0x1)").file, "repro/x.cpp");
  EXPECT_EQ(tsan::parse_frame("f() repro/x.cpp:3 (p+0x1)").function, "f()");
  EXPECT_EQ(tsan::parse_frame("operator new(unsigned long) <null> (p+0x1)").function,
            "operator new(unsigned long)");
  EXPECT_EQ(tsan::parse_frame("operator new(unsigned long)").function, "operator new(unsigned long)");
  EXPECT_EQ(tsan::parse_frame("operator new(unsigned long)").file, "");
  EXPECT_EQ(tsan::parse_frame("<null> <null> (libc.so.6+0x27249)").function, "");
  EXPECT_EQ(tsan::parse_frame("<null> <null> (libc.so.6+0x27249)").offset, 0x27249U);
  EXPECT_EQ(tsan::parse_frame("0x55d0 in main /src/x.cpp:3").function, "main");
  EXPECT_EQ(tsan::parse_frame("0x55d0  (prog+0x1234)").module, "prog");
  EXPECT_EQ(tsan::parse_frame("0x55d0  (prog+0x1234)").function, "");
  EXPECT_EQ(tsan::parse_frame("ns::operator/(v, v) /src/v.hpp:9").function, "ns::operator/(v, v)");
  EXPECT_EQ(tsan::parse_frame("__invoke<main()::<lambda()> > /usr/include/x.h:96 (p+0x1)").function,
            "__invoke<main()::<lambda()> >");
  EXPECT_EQ(tsan::parse_frame("f() /src/x.cpp:99999999999999999999").line, 0U);
  EXPECT_EQ(tsan::parse_frame("").function, "");
}

TEST(FrameLine, OfAnyLengthIsReadInOnePass) {
  std::string line;
  while (line.size() < std::size_t{1} << 20U) line += " /(";
  EXPECT_EQ(tsan::parse_frame(line).file.size(), line.size() - 1);
}

TEST(LogLine, StreamsLoseTimesAndKeepNames) {
  EXPECT_EQ(stream("2024-05-01T10:00:00.1234567Z web-1  | "), "web-1 |");
  EXPECT_EQ(stream("web-2  | "), "web-2 |");
  EXPECT_EQ(stream("12: "), "12:");
  EXPECT_EQ(stream("[  12.345678] "), "[ ]");
  EXPECT_EQ(stream("[ 999.345678] "), "[ ]");
  EXPECT_EQ(stream("1714557600 job"), "job");
  EXPECT_EQ(stream("10:00:00,123 INFO "), "INFO");
  EXPECT_EQ(stream("build-7d4b9c/2: "), "build-7d4b9c/2:");
  EXPECT_EQ(stream(""), "");
}

TEST(LogLine, StreamsMayDifferInDigitsOnly) {
  EXPECT_TRUE(tsan::differ_in_digits_only("t=12 x", "t=345 x"));
  EXPECT_FALSE(tsan::differ_in_digits_only("t=12 x", "t=12 y"));
  EXPECT_FALSE(tsan::differ_in_digits_only("t", "t9x"));
}

TEST(LogLine, EscapeSequencesGo) {
  std::string buffer;
  EXPECT_EQ(tsan::plain("\x1b[1;31mred\x1b[0m and \x1b[Kplain\r", buffer), "red and plain");
  EXPECT_EQ(tsan::plain("\x1b[", buffer), "");
  EXPECT_EQ(tsan::plain("plain", buffer), "plain");
}

TEST(LogParser, NestedBugsAndFailuresOfTheRuntimeAreNamed) {
  const parsed read = parse(
      "==7==ThreadSanitizer: nested bug in the same thread, aborting.\n"
      "FATAL: ThreadSanitizer: unexpected memory mapping 0x5588-0x5589\n"
      "FATAL: ThreadSanitizer CHECK failed: tsan_rtl.cpp:12 \"((x)) != (0)\" (0x0, 0x0)\n"
      "    #0 __tsan::f() <null> (p+0x1)\n"
      "==9==ThreadSanitizer: CHECK failed: tsan_rtl.cpp:13 \"((y))\" (0x0) (tid=9)\n"
      "ThreadSanitizer: starting new threads after multi-threaded fork is not supported. Dying (set "
      "die_after_fork=0 to override)\n");
  ASSERT_EQ(read.reports.size(), 5U);
  EXPECT_EQ(read.reports[0].kind, report_kind::nested_bug);
  EXPECT_EQ(read.reports[0].process, 7);
  EXPECT_EQ(read.reports[1].kind, report_kind::fatal_error);
  EXPECT_EQ(read.reports[1].title, "unexpected memory mapping 0x5588-0x5589");
  EXPECT_EQ(read.reports[2].kind, report_kind::check_failed);
  EXPECT_EQ(read.reports[2].stacks.at(0).where.frames.at(0).function, "__tsan::f()");
  EXPECT_EQ(read.reports[3].kind, report_kind::check_failed);
  EXPECT_EQ(read.reports[4].kind, report_kind::fatal_error);
  EXPECT_TRUE(read.complaints.empty());
}

TEST(LogParser, TheRuntimesOwnWarningsAreNoReports) {
  const parsed read = parse(
      "WARNING: ThreadSanitizer: memory layout is incompatible, possibly due to high-entropy ASLR.\n"
      "ThreadSanitizer: reported 1 warnings\n"
      "ThreadSanitizer: Matched 3 suppressions (pid=7):\n");
  EXPECT_TRUE(read.reports.empty());
  EXPECT_TRUE(read.complaints.empty());
}

TEST(LogParser, MutexesMayBeHeldToRead) {
  const parsed read = parse(
      "WARNING: ThreadSanitizer: data race (pid=7)\n"
      "  Atomic write of size 8 at 0x7b04 by thread T2 (mutexes: write M0, read M12):\n"
      "    #0 f() x.cpp:1 (p+0x1)\n"
      "  Previous atomic read of size 8 at 0x7b04 by thread T1 (mutexes: read M0):\n"
      "    #0 g() x.cpp:2 (p+0x2)\n"
      "  Mutex M0 is already destroyed.\n"
      "  Location is file descriptor 5 destroyed by thread T2 at:\n"
      "    #0 close <null> (p+0x3)\n"
      "  Thread T2 'a (b) ' c' (tid=9, running) created by thread T1 at:\n"
      "    #0 h() x.cpp:3 (p+0x4)\n"
      "  Thread T3 (tid=10, running) is a GCD worker thread\n"
      "SUMMARY: ThreadSanitizer: data race x.cpp:1 in f()\n");
  ASSERT_EQ(read.reports.size(), 1U);
  const tsan::report& of = read.reports.front();
  ASSERT_EQ(of.accesses.size(), 2U);
  EXPECT_TRUE(of.accesses[0].atomic && of.accesses[0].write && !of.accesses[0].previous);
  ASSERT_EQ(of.accesses[0].mutexes.size(), 2U);
  EXPECT_EQ(of.accesses[0].mutexes[1].id, "M12");
  EXPECT_FALSE(of.accesses[0].mutexes[1].write);
  EXPECT_TRUE(of.accesses[1].atomic && !of.accesses[1].write && of.accesses[1].previous);
  EXPECT_EQ(of.accesses[1].thread, tsan::thread_number(1));
  EXPECT_TRUE(of.mutexes.at(0).destroyed);
  EXPECT_TRUE(of.accessed.value().closed);
  EXPECT_EQ(of.accessed->descriptor, 5);
  EXPECT_EQ(of.accessed->where.frames.size(), 1U);
  ASSERT_EQ(of.threads.size(), 2U);
  EXPECT_EQ(of.threads[0].name, "a (b) ' c");
  EXPECT_EQ(of.threads[0].created_by, tsan::thread_number(1));
  EXPECT_TRUE(of.threads[1].worker);
}

TEST(LogParser, LocationsMayBeGivenAsInsideOfARegion) {
  const parsed read = parse(
      "WARNING: ThreadSanitizer: data race (pid=7)\n"
      "  Write of size 4 at 0x7b18 by main thread:\n"
      "    #0 f() x.cpp:1 (p+0x1)\n"
      "  0x7b18 is located 8 bytes inside of 40-byte region [0x7b10,0x7b38)\n"
      "SUMMARY: ThreadSanitizer: data race x.cpp:1 in f()\n");
  ASSERT_EQ(read.reports.size(), 1U);
  const tsan::location& found = read.reports.front().accessed.value();
  EXPECT_EQ(found.size, 40U);
  EXPECT_EQ(found.offset, 8U);
  EXPECT_EQ(found.address, 0x7b10U);
}

TEST(LogParser, GoTellsOfHeapGlobalsAndDeadlocks) {
  const parsed read = parse(
      "==================\n"
      "WARNING: DATA RACE\n"
      "Write at 0x00c0001 by goroutine 7:\n"
      "  main.store()\n"
      "      /src/x.go:22 +0x44\n"
      "\n"
      "Previous read at 0x00c0001 by goroutine 8:\n"
      "  [failed to restore the stack]\n"
      "\n"
      "Heap block of size 16 at 0x00c0000 allocated by main goroutine:\n"
      "  main.main()\n"
      "      /src/x.go:5 +0x4\n"
      "\n"
      "==================\n"
      "==================\n"
      "WARNING: DEADLOCK\n"
      "Goroutine 999 lock mutex 1 while holding mutex 2:\n"
      "  main.a()\n"
      "      /src/x.go:1 +0x1\n"
      "\n"
      "Mutex 2 was previously locked here:\n"
      "  main.b()\n"
      "      /src/x.go:2 +0x1\n"
      "\n"
      "==================\n"
      "==================\n"
      "WARNING: DATA RACE\n"
      "Write at 0x0000006 by main goroutine:\n"
      "  main.c()\n"
      "      /src/x.go:3 +0x1\n"
      "\n"
      "Global var main.hits of size 8 at 0x0000006 declared at /src/x.go:4\n"
      "\n"
      "==================\n");
  ASSERT_EQ(read.reports.size(), 3U);
  EXPECT_TRUE(read.complaints.empty());
  const tsan::report& first = read.reports[0];
  EXPECT_TRUE(first.go);
  EXPECT_EQ(first.accesses.at(0).where.frames.at(0).function, "main.store()");
  EXPECT_EQ(first.accesses.at(0).where.frames.at(0).line, 22U);
  EXPECT_FALSE(first.accesses.at(1).where.restored);
  EXPECT_EQ(first.accessed.value().offset, 1U);
  EXPECT_EQ(first.accessed->thread, tsan::thread_number(0));
  const tsan::report& second = read.reports[1];
  EXPECT_EQ(second.kind, report_kind::lock_order_inversion);
  EXPECT_EQ(second.acquisitions.at(0).mutex, "M1");
  EXPECT_EQ(second.acquisitions.at(0).held_since.frames.at(0).function, "main.b()");
  EXPECT_EQ(read.reports[2].accessed.value().name, "main.hits");
}

TEST(LogParser, ASecondReportCutsTheFirstOffAndBothAreRead) {
  const parsed read = parse(
      "==================\n"
      "WARNING: ThreadSanitizer: data race (pid=7)\n"
      "  Write of size 4 at 0x7b18 by main thread:\n"
      "    #0 f() x.cpp:1 (p+0x1)\n" +
      race("", "f()", "g()"));
  ASSERT_EQ(read.reports.size(), 2U);
  EXPECT_FALSE(read.reports[0].complete);
  EXPECT_TRUE(read.reports[1].complete);
  ASSERT_EQ(read.complaints.size(), 1U);
  EXPECT_EQ(read.complaints[0].line, 2U);
  EXPECT_EQ(read.complaints[0].text, "data race: cut off after line 4");
}

TEST(LogParser, AReportThatIsNotFollowedUpEnds) {
  std::string log =
      "WARNING: ThreadSanitizer: data race (pid=7)\n"
      "  Write of size 4 at 0x7b18 by main thread:\n";
  for (int i = 0; i < 2'000; ++i) log += "something else\n";
  log += "    #0 f() x.cpp:1 (p+0x1)\n";
  const parsed read = parse(log);
  ASSERT_EQ(read.reports.size(), 1U);
  EXPECT_TRUE(read.reports[0].accesses.at(0).where.frames.empty());
  EXPECT_EQ(read.lines, 2'003U);
}

TEST(LogParser, AnEndWithoutABeginningIsNamed) {
  const parsed read = parse("noise\nSUMMARY: ThreadSanitizer: data race /src/a.cpp:1:2 in f\n");
  EXPECT_TRUE(read.reports.empty());
  ASSERT_EQ(read.complaints.size(), 1U);
  EXPECT_EQ(read.complaints[0].line, 2U);
}

TEST(LogParser, ManyMixedReportsStayBounded) {
  std::string log;
  for (int service = 0; service < 500; ++service) {
    const std::string prefix = "s" + std::to_string(service) + "x | ";
    log += prefix + "WARNING: ThreadSanitizer: data race (pid=7)\n";
  }
  const parsed read = parse(log);
  EXPECT_EQ(read.reports.size(), 500U);
  EXPECT_EQ(read.complaints.size(), 500U);
}

TEST(LogParser, ALineWithoutEndIsCut) {
  std::string log = "WARNING: ThreadSanitizer: data race (pid=7)\n    #0 ";
  log.append(std::size_t{4} << 20U, 'x');
  const parsed read = parse(log, 1'000);
  ASSERT_EQ(read.reports.size(), 1U);
  EXPECT_LE(read.reports[0].stacks.at(0).where.frames.at(0).function.size(), std::size_t{1} << 18U);
}

TEST(LogParser, NoiseIsCountedAndNothingElse) {
  std::string log;
  for (int i = 0; i < 1'000; ++i) log += "[info] Thread T1 wrote #4 of size 8 at 0x10\n";
  const parsed read = parse(log, 777);
  EXPECT_TRUE(read.reports.empty());
  EXPECT_TRUE(read.complaints.empty());
  EXPECT_EQ(read.lines, 1'000U);
}

}  // namespace
