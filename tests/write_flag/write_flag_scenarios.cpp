// What a user sees when the write flag finds two threads in one map.
#include <array>
#include <string>

#include "tests/stacks/run_program.hpp"
#include "tests/support/catch.hpp"

namespace {

std::string program(const std::string& name) { return std::string(WRITE_FLAG_PROGRAMS) + "/" + name; }

bool ended_with(const finished_program& run, int code) {
  return WIFEXITED(run.status) && WEXITSTATUS(run.status) == code;
}

// The text below the `index`-th thread's header, up to the next one's.
std::string thread_section(const std::string& report, int index) {
  std::size_t at = 0;
  for (int i = 0; i <= index; ++i) {
    at = report.find("\nthread ", i == 0 ? 0 : at + 1);
    if (at == std::string::npos) return "";
  }
  return report.substr(at, report.find("\nthread ", at + 1) - at);
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// With RACELAB_WRITE_FLAG set to `policy`.
finished_program run_under(const char* policy, const std::string& name, const char* traceback = nullptr) {
  setenv("RACELAB_WRITE_FLAG", policy, 1);
  finished_program run = run_program(program(name), traceback);
  unsetenv("RACELAB_WRITE_FLAG");
  return run;
}

}  // namespace

SCENARIO("two threads write a checked map") {
  GIVEN("a program in which one thread erases while another one is in the middle of an insertion") {
    WHEN("it runs as it is") {
      const finished_program run = run_program(program("two_writers"));
      INFO(run.errors);
      THEN("it ends as a Go program does") {
        CHECK(run.errors.starts_with("fatal error: concurrent map writes\n\nthread 1 [running]:\n"));
        CHECK(ended_with(run, 2));
      }
      THEN("the thread that found it comes first, then the other one, and no more") {
        CHECK(has(thread_section(run.errors, 0), "drop_a_score"));
        CHECK(has(thread_section(run.errors, 0), "tests/write_flag/programs/two_writers.cpp:"));
        CHECK(has(thread_section(run.errors, 1), "[running]"));
        CHECK(has(thread_section(run.errors, 1), "add_a_score"));
        CHECK(has(thread_section(run.errors, 1), "created by main"));
        CHECK(thread_section(run.errors, 2).empty());
      }
      THEN("the detector's own frames are hidden") { CHECK_FALSE(has(run.errors, "write_flag::")); }
    }
    WHEN("RACELAB_TRACEBACK=all") {
      const finished_program run = run_program(program("two_writers"), "all");
      INFO(run.errors);
      THEN("the bystander follows the two offenders") {
        CHECK(has(thread_section(run.errors, 0), "drop_a_score"));
        CHECK(has(thread_section(run.errors, 1), "add_a_score"));
        CHECK(has(thread_section(run.errors, 2), "wait_elsewhere"));
      }
    }
    WHEN("RACELAB_WRITE_FLAG=report") {
      const finished_program run = run_under("report", "two_writers");
      INFO(run.errors);
      THEN("it says so once, and goes on to its end") {
        CHECK(run.errors.starts_with("racelab: concurrent map writes\n\nthread 1 [running]:\n"));
        CHECK(run.count("concurrent map") == 1);
        CHECK(ended_with(run, 0));
      }
    }
  }
}

SCENARIO("two threads write the ported Go map") {
  GIVEN("a program in which one thread erases while another one is in the middle of an assignment") {
    WHEN("it runs") {
      const finished_program run = run_program(program("go_map_writers"));
      INFO(run.errors);
      THEN("it ends as a Go program does, with both threads") {
        CHECK(run.errors.starts_with("fatal error: concurrent map writes\n\nthread 1 [running]:\n"));
        CHECK(ended_with(run, 2));
        CHECK(has(thread_section(run.errors, 0), "drop_a_score"));
        CHECK(has(thread_section(run.errors, 1), "change_a_score"));
      }
    }
  }
}

SCENARIO("ten threads write a checked map at full speed") {
  GIVEN("a program that nothing holds up") {
    constexpr int runs = 20;
    int fatal = 0;
    int both = 0;
    std::string last;
    for (int i = 0; i < runs; ++i) {
      const finished_program run = run_program(program("ten_writers"));
      if (!ended_with(run, 2)) continue;
      ++fatal;
      if (has(thread_section(run.errors, 0), "drop_them_all") && has(thread_section(run.errors, 1), "\t"))
        ++both;
      else
        last = run.errors;
    }
    INFO(last);
    THEN("the write flag ends it every time, with both stacks in at least 95 of 100") {
      CHECK(fatal == runs);
      CHECK(both * 100 >= fatal * 95);
    }
  }
}
