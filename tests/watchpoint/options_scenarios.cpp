// What a person meets who sets the runtime's variables, or whose program does unusual things.
#include "tests/support/catch.hpp"
#include "tests/watchpoint/run_aimed.hpp"

namespace {

watched_run run(const std::string& name, const environment& variables) {
  return run_watched(std::string(WATCHED_PROGRAMS) + "/" + name, variables);
}

// Refused before main, with one line that says what and where.
void check_refused(const environment& variables, const std::string& line) {
  const watched_run refused = run("adds_up", variables);
  CHECK(refused.exit_code() == 2);
  CHECK(refused.program.errors == line + "\n");
}

}  // namespace

SCENARIO("the runtime's variables are misspelt") {
  GIVEN("a program linked with the watchpoint runtime") {
    THEN("an unknown option ends it with one line") {
      check_refused({{"RACELAB_WATCH", "stall_us=10 stal_us=5"}},
                    "racelab: RACELAB_WATCH: 'stal_us' is no option; RACELAB_WATCH=help=1 lists them");
    }
    THEN("so does an option without a value") {
      check_refused({{"RACELAB_WATCH", "stall_us"}}, "racelab: RACELAB_WATCH: 'stall_us' is not name=value");
    }
    THEN("so does a value that is no number, or too large a one") {
      for (const std::string value : {"", "ten", "-1", "1.5", "10us", "4294967296"})
        check_refused({{"RACELAB_WATCH", "stall_us=" + value}},
                      "racelab: RACELAB_WATCH: '" + value + "' is not a number in range");
      check_refused({{"RACELAB_SEED", "x"}}, "racelab: RACELAB_SEED: 'x' is not a number in range");
    }
    THEN("so does an unknown perturbation") {
      check_refused({{"RACELAB_PERTURB", "sleep"}},
                    "racelab: RACELAB_PERTURB: 'sleep' is none of stall, none, yield, heap");
    }
    THEN("so does a log that can't be written") {
      check_refused({{"RACELAB_WATCH_LOG", "/nowhere/log"}},
                    "racelab: RACELAB_WATCH_LOG: /nowhere/log: No such file or directory");
    }
    THEN("so do the other files") {
      for (const std::string variable : {"RACELAB_WATCH_PLAN", "RACELAB_WATCH_SITES", "RACELAB_WATCH_EVENTS"})
        check_refused({{variable, "/nowhere/file"}},
                      "racelab: " + variable + ": /nowhere/file: No such file or directory");
    }
    THEN("so does a bad line of a plan") {
      const scratch_file plan("# where to stall\nstall -+0x10 us=ten\n");
      check_refused({{"RACELAB_WATCH_PLAN", plan.path()}},
                    "racelab: " + plan.path() + ":2: 'us=ten' is not in range");
    }
  }
}

SCENARIO("a person asks for the options") {
  WHEN("RACELAB_WATCH=help=1") {
    const watched_run helped = run("adds_up", {{"RACELAB_WATCH", "help=1"}});
    THEN("the table is printed and the program runs") {
      INFO(helped.program.errors);
      for (const char* option :
           {"stall_us", "stall_looks", "first_visits", "earned_visits", "most_earned", "window_ms", "skip",
            "max_records", "locks", "lock_stall_us", "lock_stall_exact", "help"})
        CHECK(helped.program.says(std::string("\n") + option + " ") !=
              helped.program.errors.starts_with(option));
      CHECK(helped.exit_code() == 0);
    }
  }
}

SCENARIO("a correct program is perturbed") {
  GIVEN("a program whose threads share a map under a lock") {
    for (const char* how : {"stall", "none", "yield", "heap"}) {
      WHEN("RACELAB_PERTURB=" + std::string(how)) {
        const watched_run done = run("adds_up", {{"RACELAB_PERTURB", how}});
        THEN("its result is right, its threads have their numbers, and nothing is recorded") {
          CHECK(done.exit_code() == 0);
          CHECK(done.program.errors.empty());
          CHECK(done.log.empty());
        }
      }
    }
    WHEN("every option is at an extreme") {
      THEN("it is the same") {
        for (const char* options :
             {"stall_us=0", "stall_us=4294967295 first_visits=0 window_ms=0", "stall_looks=0",
              "stall_us=5 stall_looks=4294967295 skip=0", "skip=4294967295", "window_ms=0",
              "window_ms=4294967295", "first_visits=4294967295,stall_us=2",
              "first_visits=0:earned_visits=4294967295:most_earned=4294967295"}) {
          const watched_run done = run("adds_up", {{"RACELAB_WATCH", options}});
          INFO(options << ", killed by signal " << done.program.killed_by());
          CHECK(done.exit_code() == 0);
          CHECK(done.log.empty());
        }
      }
    }
  }
}

SCENARIO("a program's main thread leaves by pthread_exit") {
  for (const char* how : {"stall", "heap"}) {
    WHEN("RACELAB_PERTURB=" + std::string(how)) {
      const watched_run done = run("main_leaves", {{"RACELAB_PERTURB", how}});
      THEN("the runtime's own thread does not keep the process") { CHECK(done.exit_code() == 7); }
    }
  }
}

SCENARIO("a program brings its own free and operator delete") {
  WHEN("it runs under stalls") {
    const watched_run done = run("own_allocator", {});
    THEN("every form of delete ends in its own") { CHECK(done.exit_code() == 0); }
  }
}

SCENARIO("static destructors run while another thread goes on") {
  WHEN("main returns") {
    const watched_run done = run("last_accesses", {});
    THEN("the program ends as it would") { CHECK(done.exit_code() == 0); }
  }
}
