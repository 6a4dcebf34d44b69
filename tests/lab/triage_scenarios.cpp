// What a person sees of `racelab triage`.
#include <nlohmann/json.hpp>
#include <string>

#include "tests/lab/fake_lab.hpp"
#include "tests/support/catch.hpp"

namespace {

using nlohmann::json;
using racelab::lab::trial_result;
using racelab::tests::contains;
using racelab::tests::fake_lab;
using racelab::tests::lines;

// A race on line 3 of a log, with a thread's creation and a heap block.
constexpr auto race =
    "starting\n"
    "==================\n"
    "WARNING: ThreadSanitizer: data race (pid=7)\n"
    "  Write of size 8 at 0x7b0400000008 by thread T1 (mutexes: write M0):\n"
    "    #0 operator delete(void*) <null> (server+0x10)\n"
    "    #1 void cache<int>::drop<long>(int) /src/cache.cpp:12:3 (server+0x20)\n"
    "    #2 std::thread::_Invoker<std::tuple<int>>::operator()() "
    "/usr/include/c++/12/bits/std_thread.h:259:11 (server+0x30)\n"
    "\n"
    "  Previous read of size 8 at 0x7b0400000008 by main thread:\n"
    "    #0 cache<int>::find(int) const /src/cache.cpp:20:3 (server+0x40)\n"
    "    #1 main /src/main.cpp:5:3 (server+0x50)\n"
    "\n"
    "  Location is heap block of size 16 at 0x7b0400000000 allocated by main thread:\n"
    "    #0 main /src/main.cpp:4:3 (server+0x60)\n"
    "\n"
    "  Thread T1 'writer' (tid=8, running) created by main thread at:\n"
    "    #0 pthread_create <null> (server+0x70)\n"
    "    #1 main /src/main.cpp:3:3 (server+0x80)\n"
    "\n"
    "SUMMARY: ThreadSanitizer: data race /src/cache.cpp:12:3 in void cache<int>::drop<long>(int)\n"
    "==================\n";

constexpr auto race_as_text =
    "data race: 2 reports, the first at ci.log:3  [79022e9fd510f57e]\n"
    "\n"
    "write of 8 bytes by thread T1 'writer', holding M0:\n"
    "operator delete(…)\n"
    "\tserver +0x10\n"
    "cache<…>::drop<…>(…)\n"
    "\t/src/cache.cpp:12\n"
    "created by main\n"
    "\t/src/main.cpp:3\n"
    "\n"
    "previous read of 8 bytes by main thread:\n"
    "cache<…>::find(…) const\n"
    "\t/src/cache.cpp:20\n"
    "main\n"
    "\t/src/main.cpp:5\n"
    "\n"
    "heap block of 16 bytes, 8 bytes into it, allocated by main thread:\n"
    "main\n"
    "\t/src/main.cpp:4\n"
    "\n"
    "2 reports, 1 distinct in 42 lines of 1 log\n";

}  // namespace

SCENARIO("racelab triage shows each bug once") {
  GIVEN("a log with one race, twice") {
    const fake_lab lab;
    lab.write("ci.log", std::string(race) + race);
    const std::string in_folder = "cd '" + (lab / "").string() + "' && ";
    WHEN("it is read") {
      const trial_result result = lab.shell(in_folder + "$RACELAB triage ci.log");
      THEN("both sides, the memory and the thread's creator are shown in Go's form") {
        CHECK(result.standard_output == race_as_text);
        CHECK(result.standard_error.empty());
        CHECK(result.exit_code == 0);
      }
    }
    WHEN("all frames are asked for") {
      const trial_result result = lab.shell(in_folder + "$RACELAB triage --all-frames ci.log");
      THEN("the standard library's are there, too") {
        CHECK(contains(result.standard_output, "std::thread::_Invoker<…>::operator()()\n"));
      }
    }
    WHEN("a report counts as a failure") {
      const trial_result result = lab.shell(in_folder + "$RACELAB triage --fail-on-report ci.log");
      THEN("the exit code says so") { CHECK(result.exit_code == 1); }
    }
    WHEN("it comes through a pipe") {
      const trial_result result = lab.shell(in_folder + "cat ci.log | $RACELAB triage --format json -");
      THEN("it is called stdin") {
        const json document = json::parse(result.standard_output);
        CHECK(document.at("logs").at(0).at("log").get<std::string>() == "stdin");
        CHECK(document.at("findings").at(0).at("count").get<int>() == 2);
      }
    }
    WHEN("the result goes to a file") {
      const trial_result result = lab.shell(in_folder + "$RACELAB triage --format sarif -o out.sarif ci.log");
      THEN("the file has all of it and stdout nothing") {
        CHECK(result.exit_code == 0);
        CHECK(result.standard_output.empty());
        CHECK(json::parse(lab.read("out.sarif")).at("version").get<std::string>() == "2.1.0");
      }
    }
  }
  GIVEN("the files that log_path wrote, one for each process") {
    const fake_lab lab;
    lab.write("tsan.log.900", race);
    lab.write("tsan.log.1000", race);
    lab.write("tsan.log.old", race);
    WHEN("log_path's own name is given") {
      const json document = json::parse(
          lab.racelab({"triage", "--format", "json", (lab / "tsan.log").string()}).standard_output);
      THEN("all of them are read, in the order of their numbers") {
        REQUIRE(document.at("logs").size() == 2);
        CHECK(document.at("logs").at(0).at("log").get<std::string>() == (lab / "tsan.log.900").string());
        CHECK(document.at("logs").at(1).at("log").get<std::string>() == (lab / "tsan.log.1000").string());
      }
    }
  }
  GIVEN("a log that is cut off") {
    const fake_lab lab;
    lab.write("ci.log", std::string(race).substr(0, 300));
    WHEN("it is read") {
      const trial_result result = lab.racelab({"triage", (lab / "ci.log").string()});
      THEN("what is there is shown, and a line on stderr says where it ends") {
        CHECK(contains(result.standard_output, "write of 8 bytes by thread T1"));
        CHECK(contains(result.standard_output, ", cut off"));
        CHECK(result.standard_error ==
              "racelab: " + (lab / "ci.log").string() + ":3: data race: cut off after line 7\n");
        CHECK(result.exit_code == 0);
      }
    }
  }
  GIVEN("a log without reports") {
    const fake_lab lab;
    lab.write("ci.log", "all is well\n");
    WHEN("it is read") {
      const trial_result result = lab.racelab({"triage", "--fail-on-report", (lab / "ci.log").string()});
      THEN("that is said") {
        CHECK(result.standard_output == "no report in 1 line of 1 log\n");
        CHECK(result.exit_code == 0);
      }
    }
  }
}

SCENARIO("racelab triage refuses what it can't read") {
  GIVEN("a folder, and nothing else") {
    const fake_lab lab;
    const auto refused = [](const trial_result& result, const std::string& what) {
      INFO(result.standard_error);
      CHECK(result.exit_code == 2);
      CHECK(result.standard_output.empty());
      CHECK(lines(result.standard_error).size() == 1);
      CHECK(contains(result.standard_error, what));
    };
    THEN("a missing log costs a line and exit code 2") {
      refused(lab.racelab({"triage", (lab / "none.log").string()}), "none.log: No such file or directory");
    }
    THEN("so does a folder") { refused(lab.racelab({"triage", (lab / "").string()}), "Is a directory"); }
    THEN("so does an unknown form") { refused(lab.racelab({"triage", "--format", "xml", "x"}), "--format"); }
    THEN("so does an output that can't be written") {
      lab.write("ci.log", race);
      refused(lab.racelab({"triage", "-o", (lab / "no" / "out").string(), (lab / "ci.log").string()}), "out");
    }
    THEN("so does no log at all") { refused(lab.racelab({"triage"}), "log is required"); }
  }
}
