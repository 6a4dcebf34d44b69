#include "stacks/fatal.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <functional>
#include <regex>
#include <string>
#include <thread>

#include "stacks/registry.hpp"
#include "stacks/report_turn.hpp"
#include "stacks/signal_safe.hpp"

namespace {

using namespace racelab::stacks;

// What `print` writes to the descriptor it is given. Read by another thread, for it may be more than a pipe
// holds.
std::string written_by(const std::function<void(int)>& print) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return "no pipe";
  std::string text;
  std::thread reader([&] {
    std::array<char, 4096> buffer{};
    for (ssize_t got = 0; (got = read(ends[0], buffer.data(), buffer.size())) > 0;) {
      text.append(buffer.data(), static_cast<std::size_t>(got));
    }
  });
  print(ends[1]);
  close(ends[1]);
  reader.join();
  close(ends[0]);
  return text;
}

[[gnu::noinline]] thread_trace own_trace() {
  thread_trace trace;
  trace.id = 13;
  capture(trace.stack);
  return trace;
}

[[gnu::noinline]] thread_trace trace_of_a_thread() {
  thread_trace trace;
  std::thread([&] {
    trace = own_trace();
    trace.created_by = self().created_by;
  }).join();
  return trace;
}

class PrintReport : public testing::Test {
 protected:
  void TearDown() override { unsetenv("RACELAB_TRACEBACK"); }
};

TEST_F(PrintReport, IsInGosForm) {
  const thread_trace trace = trace_of_a_thread();
  const std::string text =
      written_by([&](int fd) { print_report(fd, "fatal error: concurrent map writes", {&trace, 1}); });
  const std::regex form(
      "fatal error: concurrent map writes\n"
      "\n"
      "thread 13 \\[running\\]:\n"
      "\\(anonymous namespace\\)::own_trace\\(\\)\n"
      "\ttests/stacks/fatal_test\\.cpp:\\d+ \\+0x[0-9a-f]+\n"
      "[^]*"
      "created by \\(anonymous namespace\\)::trace_of_a_thread\n"
      "\ttests/stacks/fatal_test\\.cpp:\\d+ \\+0x[0-9a-f]+\n");
  EXPECT_TRUE(std::regex_match(text, form)) << text;
  EXPECT_EQ(text.find("std::thread::"), std::string::npos) << text;
}

TEST_F(PrintReport, SeparatesThreadsByAnEmptyLine) {
  std::array threads{own_trace(), own_trace()};
  threads[1].id = 14;
  threads[1].state = "sleeping";
  const std::string text = written_by([&](int fd) { print_report(fd, "m", threads); });
  EXPECT_EQ(text.find("m\n\nthread 13 [running]:\n"), 0U) << text;
  EXPECT_NE(text.find("\n\nthread 14 [sleeping]:\n"), std::string::npos) << text;
}

TEST_F(PrintReport, ShowsTheNoteOfAThreadWithoutAStack) {
  thread_trace trace;
  trace.id = 2;
  trace.note = "it has ended";
  EXPECT_EQ(written_by([&](int fd) { print_report(fd, "m", {&trace, 1}); }),
            "m\n\nthread 2 [running]:\n\tit has ended\n");
}

TEST_F(PrintReport, WithTracebackNoneIsTheMessageOnly) {
  setenv("RACELAB_TRACEBACK", "none", 1);
  const thread_trace trace = own_trace();
  EXPECT_EQ(written_by([&](int fd) { print_report(fd, "m", {&trace, 1}); }), "m\n");
}

TEST_F(PrintReport, WithTracebackSystemShowsRuntimeFrames) {
  setenv("RACELAB_TRACEBACK", "system", 1);
  const thread_trace trace = own_trace();
  const std::string text = written_by([&](int fd) { print_report(fd, "m", {&trace, 1}); });
  EXPECT_NE(text.find("_start\n"), std::string::npos) << text;
  EXPECT_NE(text.find(" pc=0x"), std::string::npos) << text;
}

[[gnu::noinline]] void wait_here(const std::atomic<bool>& leave) {
  while (!leave) std::this_thread::yield();
}

TEST_F(PrintReport, WithTracebackAllShowsTheOtherThreadsToo) {
  setenv("RACELAB_TRACEBACK", "all", 1);
  std::atomic<bool> leave{false};
  std::atomic<std::uint32_t> id{0};
  std::thread other([&] {
    id = self().id.load();
    wait_here(leave);
  });
  while (id == 0) std::this_thread::yield();
  thread_trace trace = own_trace();
  trace.id = 1;
  const std::string text = written_by([&](int fd) { print_report(fd, "m", {&trace, 1}); });
  leave = true;
  other.join();
  const std::string header = "\n\nthread " + std::to_string(id) + " [";
  const std::size_t start = text.find(header);
  ASSERT_NE(start, std::string::npos) << text;
  EXPECT_NE(text.find("::wait_here(…)\n", start), std::string::npos) << text;
  // The thread that is shown already is not asked.
  EXPECT_EQ(text.find("thread 1 ["), text.rfind("thread 1 [")) << text;
}

TEST_F(PrintReport, ComesOutWholeWhenManyThreadsReportAtOnce) {
  const std::string text = written_by([&](int fd) {
    std::vector<std::thread> reporters;
    for (int i = 0; i < 4; ++i) {
      reporters.emplace_back([fd] {
        const thread_trace trace = own_trace();
        print_report(fd, "message", {&trace, 1});
      });
    }
    for (std::thread& each : reporters) each.join();
  });
  std::size_t reports = 0;
  for (std::size_t at = 0; (at = text.find("message\n", at)) != std::string::npos; ++at) {
    EXPECT_EQ(text.substr(at, 10), "message\n\nt");
    ++reports;
  }
  EXPECT_EQ(reports, 4U);
}

TEST_F(PrintReport, ShowsADeepStackOfManyThreads) {
  // More than a socket holds at a time.
  thread_trace one = own_trace();
  one.stack.size = max_frames;
  for (std::size_t i = 0; i < max_frames; ++i) one.stack.pcs[i] = one.stack.pcs[0];
  const std::vector<thread_trace> threads(250, one);
  const std::string text = written_by([&](int fd) { print_report(fd, "m", threads); });
  std::size_t headers = 0;
  for (std::size_t at = 0; (at = text.find("\nthread 13 [", at)) != std::string::npos; ++at) ++headers;
  EXPECT_EQ(headers, threads.size());
}

// In a child of fork: what it does to itself ends with it. Exit code 0 means yes.
bool holds_in_a_child(const std::function<bool()>& claim) {
  const pid_t child = fork();
  if (child == 0) _exit(claim() ? 0 : 1);
  int status = -1;
  waitpid(child, &status, 0);
  return status == 0;
}

void limit_memory(rlim_t bytes) {
  const rlimit limit{bytes, bytes};
  setrlimit(RLIMIT_AS, &limit);
}

TEST_F(PrintReport, WorksUnderAMemoryLimit) {
  const thread_trace trace = own_trace();
  const std::string text = written_by([&](int fd) {
    EXPECT_TRUE(holds_in_a_child([&] {
      limit_memory(rlim_t{300} << 20U);
      print_report(fd, "m", {&trace, 1});
      return true;
    }));
  });
  EXPECT_NE(text.find("::own_trace()\n"), std::string::npos) << text;
}

TEST_F(PrintReport, FallsBackToModuleAndOffset) {
  const thread_trace trace = trace_of_a_thread();
  const std::string text = written_by([&](int fd) {
    EXPECT_TRUE(holds_in_a_child([&] {
      limit_memory(1U << 20U);  // no program starts with that
      print_report(fd, "m", {&trace, 1});
      return true;
    }));
  });
  const std::regex form(
      "m\n\nthread 13 \\[running\\]:\n(\t\\S+/stacks_fatal_test\\+0x[0-9a-f]+\n|\t\\S+\\+0x[0-9a-f]+\n)+"
      "created by\n(\t\\S+\\+0x[0-9a-f]+\n)+");
  EXPECT_TRUE(std::regex_match(text, form)) << text;
}

TEST_F(PrintReport, TakesAnyDescriptor) {
  const thread_trace trace = own_trace();
  for (const int wanted : {0, 1, 2}) {
    const std::string text = written_by([&](int fd) {
      EXPECT_TRUE(holds_in_a_child([&] {
        dup2(fd, wanted);
        for (int other = 0; other < 3; ++other) {
          if (other != wanted) close(other);
        }
        print_report(wanted, "m", {&trace, 1});
        return true;
      }));
    });
    EXPECT_NE(text.find("::own_trace()\n"), std::string::npos) << wanted << text;
  }
}

TEST_F(PrintReport, LeavesErrnoAndNoChildren) {
  const thread_trace trace = own_trace();
  const std::string text = written_by([&](int fd) {
    errno = 77;
    print_report(fd, "m", {&trace, 1});
    EXPECT_EQ(errno, 77);
  });
  EXPECT_NE(text, "");
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
}

TEST(ReportTurn, IsOnesOwnUntilOneLeavesIt) {
  ASSERT_EQ(take_report_turn(), turn::taken);
  EXPECT_EQ(take_report_turn(), turn::nested);
  std::atomic<bool> left{false};
  bool was_left = false;
  std::thread other([&] {
    EXPECT_EQ(take_report_turn(), turn::taken);
    was_left = left;
    leave_report_turn();
  });
  left = true;
  leave_report_turn();
  other.join();
  EXPECT_TRUE(was_left);
}

TEST(DieWithReport, ExitsAsTold) {
  const thread_trace trace = own_trace();
  EXPECT_EXIT(die_with_report(STDERR_FILENO, "fatal error: concurrent map writes", {&trace, 1}, 2),
              testing::ExitedWithCode(2), "^fatal error: concurrent map writes\n\nthread 13 ");
}

TEST(FixedText, IsCutAtItsSize) {
  fixed_text<8> text;
  text << "abc";
  text.hex(0x1f);
  EXPECT_EQ(text.view(), "abc0x1f");
  text.decimal(120);
  EXPECT_EQ(text.view(), "abc0x1f1");
  text << "more";
  EXPECT_EQ(text.view(), "abc0x1f1");
}

TEST(FixedText, WritesNumbers) {
  fixed_text<64> text;
  (text.decimal(0) << " ").decimal(UINT64_MAX) << " ";
  text.hex(0);
  EXPECT_EQ(text.view(), "0 18446744073709551615 0x0");
}

}  // namespace
