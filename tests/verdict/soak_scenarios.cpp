// What a person sees of `make soak`, with a judge that is made up.
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/lab/fake_lab.hpp"
#include "tests/support/catch.hpp"

namespace {

using nlohmann::json;
using racelab::lab::trial_result;
using racelab::tests::contains;
using racelab::tests::fake_lab;
using racelab::tests::lines;

class soaked_lab {
 public:
  /// `more` is what the judge does when it has read its arguments: `$seed`, `$json` and `$verdict` are set.
  explicit soaked_lab(const std::string& more) {
    lab.script("judge",
               "while [ $# -gt 0 ]; do case $1 in --seed) seed=$2;; --json) json=$2;; esac; shift; done\n"
               "verdict=no-report\n" +
                   more +
                   "\necho '{\"verdict\": \"'$verdict'\", \"tsan_runs\": 1, \"watch_runs\": 2}' > $json\n"
                   "[ $verdict != confirmed ]");
    json corpus = json::array();
    for (const auto& [name, truth] :
         {std::pair("norace_x", "no race"), std::pair("norace_y", "no race"), std::pair("race_z", "race")}) {
      lab.write(name, "");
      corpus.push_back({{"name", name}, {"truth", truth}, {"tsan", name}, {"watch", name}});
    }
    lab.write("catalogue.json", json{{"corpus", std::move(corpus)}}.dump());
  }

  [[nodiscard]] trial_result soak(int runs, const std::string& options = "") const {
    return lab.shell(
        "cd '" + (lab / "").string() +
        "' && '" PYTHON "' '" SOAK
        "' --racelab ./judge --catalogue catalogue.json --state state --evidence evidence --runs " +
        std::to_string(runs) + options);
  }

  fake_lab lab;
};

}  // namespace

SCENARIO("a soak judges correct programs in turn and goes on where it was") {
  const soaked_lab soaked("");
  GIVEN("a soak of three runs") {
    REQUIRE(soaked.soak(3).exit_code == 0);
    WHEN("five are asked for") {
      const trial_result result = soaked.soak(5);
      THEN("two more are made, of the programs that were run least, and none of one that has a race") {
        CHECK(result.exit_code == 0);
        // 1 - 0.05^(1/5)
        CHECK(contains(result.standard_output,
                       "5 judge runs over 2 correct programs: 0 confirmed; at most 45.0720 % are (95 %)\n"));
        const std::vector<std::string> runs = lines(soaked.lab.read("state"));
        REQUIRE(runs.size() == 5);
        for (std::size_t i = 0; i < runs.size(); ++i) {
          CHECK(json::parse(runs[i]).at("seed") == i);
          CHECK(json::parse(runs[i]).at("program") == (i % 2 == 0 ? "norace_x" : "norace_y"));
        }
      }
    }
    WHEN("the machine stopped in the middle of a line") {
      soaked.lab.write("state", soaked.lab.read("state") + "{\"program\": \"norace");
      const trial_result result = soaked.soak(4);
      THEN("that run is made again") {
        CHECK(result.exit_code == 0);
        CHECK(lines(soaked.lab.read("state")).size() == 4);
      }
    }
  }
}

SCENARIO("a soak runs several judges at a time") {
  GIVEN("judges that wait for each other in pairs") {
    const soaked_lab soaked(
        "touch began-$seed; other=$((seed % 2 ? seed - 1 : seed + 1)); tries=0\n"
        "until [ -e began-$other ]; do tries=$((tries + 1)); [ $tries -lt 2000 ] || exit 2; sleep 0.01; "
        "done");
    const trial_result result = soaked.soak(4, " --jobs 2");
    THEN("none waits in vain, and each is told by its line") {
      CHECK(result.exit_code == 0);
      std::set<int> seeds;
      for (const std::string& run : lines(soaked.lab.read("state")))
        seeds.insert(json::parse(run).at("seed").get<int>());
      CHECK(seeds == std::set{0, 1, 2, 3});
    }
  }
}

SCENARIO("a soak that confirms anything has failed") {
  GIVEN("a judge that confirms something in its second run") {
    const soaked_lab soaked("if [ $seed = 1 ]; then verdict=confirmed; echo the stacks; fi");
    const trial_result result = soaked.soak(3);
    THEN("it goes on, says which, and keeps the evidence") {
      CHECK(result.exit_code == 1);
      CHECK(contains(result.standard_output, "3 judge runs over 2 correct programs: 1 confirmed"));
      CHECK(contains(result.standard_output, "exit 1: norace_y, seed 1: evidence/1-norace_y\n"));
      CHECK(soaked.lab.read("evidence/1-norace_y/stdout") == "the stacks\n");
      CHECK(contains(soaked.lab.read("evidence/1-norace_y/judge.json"), "confirmed"));
      CHECK(contains(soaked.lab.read("evidence/1-norace_y/command"), "--seed 1"));
    }
  }
  GIVEN("a judge that can't do its work") {
    const soaked_lab soaked("if [ $seed = 1 ]; then echo 'racelab: no' >&2; exit 2; fi");
    const trial_result result = soaked.soak(3);
    THEN("that is no clean run either") {
      CHECK(result.exit_code == 2);
      CHECK(contains(result.standard_output, "2 judge runs over 2 correct programs: 0 confirmed"));
      CHECK(soaked.lab.read("evidence/1-norace_y/stderr") == "racelab: no\n");
    }
  }
}

SCENARIO("a soak that is stopped keeps what was run") {
  GIVEN("a judge that interrupts the soak in its third run, and ends when it is interrupted itself") {
    const soaked_lab soaked(
        "if [ $seed = 2 ]; then trap 'echo stopped > stopped; exit 130' INT; kill -INT $PPID; "
        "while :; do sleep 0.01; done; fi");
    const trial_result result = soaked.soak(9);
    THEN("two runs are known") {
      CHECK(result.exit_code == 130);
      CHECK(contains(result.standard_output, "2 judge runs over 2 correct programs"));
      CHECK(lines(soaked.lab.read("state")).size() == 2);
      CHECK(soaked.lab.read("stopped") == "stopped\n");
    }
  }
}
