// The lab's promises, kept or broken here: each bug happens in at least 99 % of the runs, the blog post's own program
// fails far less often by itself, the write flag fires and shows both threads.
#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "lab/catalogue.hpp"
#include "lab/perturbation.hpp"
#include "lab/statistics.hpp"
#include "lab/trials.hpp"
#include "tests/support/catch.hpp"

namespace {

using namespace racelab::lab;
using namespace std::chrono_literals;

std::vector<trial_result> run(const scenario& what, const scenario_program& program, perturbation how,
                              std::size_t trials, unsigned jobs, const char* traceback = "none") {
  std::vector<trial_result> results;
  std::size_t launched = 0;
  trial_callbacks callbacks;
  callbacks.next = [&]() -> std::optional<trial_request> {
    if (launched == trials) return std::nullopt;
    const std::uint64_t seed = trial_seed(1, what.name, program.map, launched++);
    return perturbed_trial(program, how, seed, traceback, what.timeout.value_or(10s));
  };
  callbacks.done = [&](std::size_t, trial_result result) { results.push_back(std::move(result)); };
  REQUIRE(run_trials(jobs, callbacks) == 0);
  REQUIRE(results.size() == trials);
  return results;
}

// `make check-bars`, alone on the machine, asks for the promises to the letter, with the trials that they are made for.
// `make check` asks that fewer runs, on a machine that may be busy, do not contradict them.
bool to_the_letter() { return std::getenv("RACELAB_FULL_BARS") != nullptr; }

std::size_t failures(const std::vector<trial_result>& results) {
  return static_cast<std::size_t>(
      std::count_if(results.begin(), results.end(), [](const auto& each) { return is_failure(each.what); }));
}

std::size_t count(const std::vector<trial_result>& results, outcome what) {
  return static_cast<std::size_t>(
      std::count_if(results.begin(), results.end(), [what](const auto& each) { return each.what == what; }));
}

const scenario& named(const std::vector<scenario>& all, const std::string& name) {
  const auto at = std::ranges::find_if(all, [&](const auto& each) { return each.name == name; });
  REQUIRE(at != all.end());
  return *at;
}

const scenario_program& over(const scenario& what, const std::string& map) {
  const auto at = std::ranges::find_if(what.programs, [&](const auto& each) { return each.map == map; });
  REQUIRE(at != what.programs.end());
  return *at;
}

// How many threads of a report have a line of source in their stack.
int threads_with_a_stack(const std::string& report) {
  int threads = 0;
  for (std::size_t at = report.find("\nthread "); at != std::string::npos;) {
    const std::size_t next = report.find("\nthread ", at + 1);
    const std::string part = report.substr(at, next == std::string::npos ? next : next - at);
    if (part.find("\n\trepro/") < part.find("created by ")) ++threads;
    at = next;
  }
  return threads;
}

}  // namespace

SCENARIO("every bug of the catalogue happens, every time") {
  GIVEN("the programs of a scenario that promises a failure, one for each map") {
    for (const scenario& what : read_catalogue(RACELAB_CATALOGUE_FILE).scenarios) {
      if (what.kind == scenario_kind::race || what.kind == scenario_kind::norace) continue;
      for (const scenario_program& program : what.programs) {
        const std::size_t trials = to_the_letter() ? 200 : 80;
        WHEN(what.name + " over " + program.map + " runs " + std::to_string(trials) + " times under stalls") {
          const auto results = run(what, program, perturbation::stall, trials, 2);
          THEN("at least 99 % of the runs fail, and each says how") {
            if (to_the_letter())
              CHECK(failures(results) >= 198);
            else
              CHECK(wilson95(failures(results), trials).high >= 0.99);
            CHECK(count(results, outcome::other) == 0);
          }
        }
      }
    }
  }
}

SCENARIO("nobody helps the blog post's program, and it fails far less often") {
  GIVEN("ten threads that delete the same fifty keys, as the post has them") {
    const auto all = read_catalogue(RACELAB_CATALOGUE_FILE).scenarios;
    const scenario& what = named(all, "crash_concurrent_delete");
    const scenario_program& program = over(what, "unordered_map");
    const std::size_t trials = to_the_letter() ? 200 : 100;
    WHEN("it runs as it is, and under stalls, " + std::to_string(trials) + " times each") {
      const auto plain = run(what, program, perturbation::none, trials, 1);
      const auto stalled = run(what, program, perturbation::stall, trials, 2);
      THEN("the two rates can't be taken for one another") {
        CHECK(wilson95(failures(plain), trials).high < wilson95(failures(stalled), trials).low);
      }
    }
  }
}

SCENARIO("Go's write flag fires on the blog post's program and shows both threads") {
  GIVEN("the post's program over Go's map") {
    const auto all = read_catalogue(RACELAB_CATALOGUE_FILE).scenarios;
    const scenario& what = named(all, "crash_concurrent_delete");
    const scenario_program& program = over(what, "hmap");
    const std::size_t trials = to_the_letter() ? 300 : 100;
    WHEN("it runs " + std::to_string(trials) + " times under stalls") {
      const auto results = run(what, program, perturbation::stall, trials, 2, "single");
      THEN("at least 99 % of the runs end with Go's message, and at least 95 % of those have both stacks") {
        const std::size_t fired = count(results, outcome::fatal);
        CHECK(wilson95(fired, trials).high >= 0.99);
        if (to_the_letter()) CHECK(fired >= 297);
        std::size_t both = 0;
        for (const trial_result& each : results) {
          if (each.what != outcome::fatal) continue;
          CHECK(each.standard_error.starts_with("fatal error: concurrent map "));
          if (threads_with_a_stack(each.standard_error) >= 2) ++both;
        }
        CHECK(static_cast<double>(both) >= 0.95 * static_cast<double>(fired));
      }
    }
  }
}

SCENARIO("Go's write flag fires at least as often as Go's own where nothing is perturbed") {
  GIVEN("the post's program over Go's map, its threads let go together") {
    const auto all = read_catalogue(RACELAB_CATALOGUE_FILE).scenarios;
    const scenario& what = named(all, "crash_gated_delete");
    const scenario_program& program = over(what, "hmap");
    const std::size_t trials = to_the_letter() ? 300 : 100;
    WHEN("it runs " + std::to_string(trials) + " times as it is") {
      const auto results = run(what, program, perturbation::none, trials, 1);
      THEN("the flag ends at least half of the runs, as Go 1.19 does with the post's program (151 of 300)") {
        const std::size_t fired = count(results, outcome::fatal);
        INFO(fired << " of " << trials);
        // On a busy machine the threads wait for a processor more than they meet: the bar is for `make check-bars`.
        CHECK(fired > 0);
        if (to_the_letter()) CHECK(fired >= 150);
      }
    }
  }
}

SCENARIO("other ways to disturb the schedule run, too") {
  GIVEN("a program that always fails under stalls") {
    const auto all = read_catalogue(RACELAB_CATALOGUE_FILE).scenarios;
    const scenario& what = named(all, "crash_insert_grow");
    const scenario_program& program = over(what, "unordered_map");
    for (const perturbation how : {perturbation::yield, perturbation::heap, perturbation::one_cpu}) {
      WHEN("it runs under --perturb " + std::string(name(how))) {
        const auto results = run(what, program, how, 20, 2);
        THEN("each run ends in an outcome of the protocol") { CHECK(count(results, outcome::other) == 0); }
      }
    }
  }
}
