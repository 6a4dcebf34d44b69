#include "stacks/reading/reader.hpp"

#include <gtest/gtest.h>

#include <string>

#include "stacks/reading/roles.hpp"

namespace {

using namespace racelab::reading;

crash only(std::string_view log) {
  const auto all = crashes_in(log);
  EXPECT_EQ(all.size(), 1U);
  return all.empty() ? crash{} : all.front();
}

TEST(Reader, ReadsBothThreadsOfTheLabsFatalError) {
  const crash read = only(
      "size() is off\nfatal error: concurrent map writes\n\nthread 4 "
      "[running]:\nracelab::hmap<…>::mapdelete<…>(...)\n"
      "\trepro/support/hmap/hmap.hpp:402\nmain::$_0::operator()(...) const\n\trepro/a.cpp:26 +0x1f\ncreated "
      "by main\n"
      "\trepro/a.cpp:23 +0x34a\n\nthread 5 [running]:\nmain::$_0::operator()(...) const\n\trepro/a.cpp:27\n");
  EXPECT_EQ(read.read_from, form::racelab_fatal);
  EXPECT_EQ(read.headline, "fatal error: concurrent map writes");
  EXPECT_EQ(read.line, 2U);
  ASSERT_EQ(read.threads.size(), 2U);
  EXPECT_EQ(read.threads[0].title, "thread 4 [running]");
  ASSERT_EQ(read.threads[0].frames.size(), 2U);
  EXPECT_EQ(read.threads[0].frames[0].function, "racelab::hmap<…>::mapdelete<…>");
  EXPECT_EQ(read.threads[0].frames[1].file, "repro/a.cpp");
  EXPECT_EQ(read.threads[0].frames[1].line, 26U);
  ASSERT_EQ(read.threads[0].created.size(), 1U);
  EXPECT_EQ(read.threads[0].created[0].line, 23U);
  EXPECT_EQ(read.threads[1].frames[0].line, 27U);
  EXPECT_EQ(first_of_yours(read.threads[0]), 1U);
}

TEST(Reader, ReadsTheSignalLine) {
  const crash read = only(
      "double free or corruption (fasttop)\nfatal error: unexpected signal\n"
      "[signal SIGSEGV: segmentation violation code=0x1 addr=0x8 pc=0x7f]\n\nthread 1 "
      "[running]:\nf(…)\n\ta.cpp:1 +0x1\n");
  EXPECT_EQ(read.signal, "SIGSEGV");
  EXPECT_EQ(read.address, 8U);
  EXPECT_TRUE(is_null_access(read));
  ASSERT_EQ(read.said.size(), 1U);
  EXPECT_NE(meaning_of(read.said[0]).find("freed twice"), std::string_view::npos);
}

TEST(Reader, TakesNoGeneralProtectionFaultForANullPointer) {
  const crash read = only(
      "fatal error: unexpected signal\n[signal SIGSEGV: segmentation violation code=0x80 addr=0x0 "
      "pc=0x7f]\n\nthread 1 "
      "[running]:\nf(…)\n\ta.cpp:1 +0x1\n");
  EXPECT_TRUE(read.not_canonical);
  EXPECT_FALSE(is_null_access(read));
}

// Go 1.18, 1.21 (in goroutine N) and 1.23 (gp=, m=).
TEST(Reader, ReadsGoroutinesOfAllVersions) {
  for (const char* title :
       {"goroutine 18 [running]:", "goroutine 18 gp=0xc0000061c0 m=3 mp=0xc000080008 [running]:",
        "goroutine 18 [chan receive, 2 minutes, locked to thread]:"}) {
    const crash read =
        only(std::string("panic: runtime error: invalid memory address or nil pointer dereference\n"
                         "[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x481b3c]\n\n") +
             title +
             "\nmain.scan(...)\n\t/src/a.go:22\nmain.main.func1()\n\t/src/a.go:34 +0x1d\ncreated by "
             "main.main in goroutine 1\n\t/src/a.go:33 +0x5c\nexit status 2\n");
    EXPECT_EQ(read.read_from, form::go) << title;
    ASSERT_EQ(read.threads.size(), 1U) << title;
    ASSERT_EQ(read.threads[0].frames.size(), 2U) << title;
    EXPECT_EQ(read.threads[0].frames[1].function, "main.main.func1");
    ASSERT_EQ(read.threads[0].created.size(), 1U);
    EXPECT_EQ(read.threads[0].created[0].function, "main.main");
    EXPECT_EQ(read.threads[0].created[0].line, 33U);
    EXPECT_TRUE(is_null_access(read));
  }
}

TEST(Reader, ReadsGdbsFrames) {
  frame one;
  ASSERT_TRUE(read_gdb_frame(
      "#1  0x0000555555555302 in main::$_0::operator() (this=0x5555, n=3) at /src/a.cpp:34", one));
  EXPECT_EQ(one.function, "main::$_0::operator()");
  EXPECT_EQ(one.arguments, "this=0x5555, n=3");
  EXPECT_EQ(one.file, "/src/a.cpp");
  EXPECT_EQ(one.line, 34U);
  frame library;
  ASSERT_TRUE(read_gdb_frame("#7  0x00007ffff7cd44a3 in ?? () from /lib/libstdc++.so.6", library));
  EXPECT_EQ(library.function, "");
  EXPECT_EQ(library.module, "/lib/libstdc++.so.6");
  frame none;
  EXPECT_FALSE(read_gdb_frame("#include <vector>", none));
  EXPECT_FALSE(read_gdb_frame("#1 nothing", none));
}

TEST(Reader, FindsTheFrameBelowASignal) {
  const crash read = only(
      "Program terminated with signal SIGABRT, Aborted.\n#0  raise () at raise.c:1\n#1  racelab::on_signal "
      "(n=11) at "
      "a.cpp:2\n#2  <signal handler called>\n#3  work (p=0x0)\n    at b.cpp:7\n");
  ASSERT_EQ(read.threads.size(), 1U);
  const auto thrower = thrower_of(read.threads[0]);
  ASSERT_TRUE(thrower);
  EXPECT_EQ(read.threads[0].frames[*thrower].function, "work");
  EXPECT_EQ(read.threads[0].frames[*thrower].line, 7U);  // gdb broke the line
}

TEST(Reader, TheThreadThatFailedIsTheOneThatGdbNames) {
  const crash read = only(
      "Thread 2 \"x\" received signal SIGSEGV, Segmentation fault.\nThread 1 (Thread 0x1 (LWP 1)):\n#0  wait "
      "() at a.c:1\nThread 2 (Thread 0x2 (LWP 2)):\n"
      "#0  use (p=0x0) at a.c:2\n");
  EXPECT_EQ(failed_thread(read), 1U);
  EXPECT_TRUE(used_null(read));
}

TEST(Reader, AThreadOfARuntimeHasNoFrameOfYours) {
  frame pacemaker;
  pacemaker.function = "racelab::watch::(anonymous namespace)::run_pacemaker";
  pacemaker.file = "sanitizers/watchpoint/perturb.cpp";
  EXPECT_EQ(owner_of(pacemaker), owner::runtime);
}

TEST(Reader, ALineOfGlibcAloneIsACrash) {
  const crash read = only("hello\r\n\x1b[31mfree(): double free detected in tcache 2\x1b[0m\r\nAborted\r\n");
  EXPECT_EQ(read.read_from, form::aborted);
  EXPECT_EQ(read.headline, "free(): double free detected in tcache 2");
  EXPECT_EQ(read.line, 2U);
}

TEST(Reader, PassesOverWhatIsNoCrash) {
  EXPECT_TRUE(crashes_in("").empty());
  EXPECT_TRUE(crashes_in("all is well\n#1 on the list\nthread 3 [running]:\n").empty());
}

TEST(Reader, ATruncatedLogGivesWhatItHas) {
  const crash read = only(
      "fatal error: concurrent map writes\n\nthread 4 "
      "[running]:\nracelab::hmap<…>::mapdelete<…>(…)\n\trepro/sup");
  ASSERT_EQ(read.threads.size(), 1U);
  EXPECT_EQ(read.threads[0].frames.size(), 1U);
}

TEST(Reader, LeavesNothingThatActsOnATerminal) {
  const crash read = only(
      "fatal error: a\x1b[2Jb\x07"
      "c\n");
  EXPECT_EQ(read.headline, "fatal error: ab?c");
}

}  // namespace
