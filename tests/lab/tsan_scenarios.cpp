// `racelab tsan` as its users see it, on real programs.
#include <nlohmann/json.hpp>
#include <string>

#include "tests/lab/fake_lab.hpp"
#include "tests/support/catch.hpp"

namespace {

using racelab::lab::trial_result;

trial_result racelab_tsan(const std::string& arguments) {
  racelab::lab::trial_request request;
  request.program = "/bin/sh";
  request.arguments = {"-c", std::string(RACELAB_COMMAND) + " tsan " + arguments};
  request.timeout = std::chrono::seconds(120);
  request.memory_limit = 0;
  return racelab::lab::run_trial(request);
}

}  // namespace

SCENARIO("the blog post's program under ThreadSanitizer, and the same source over a remedy") {
  GIVEN("ten threads that delete the same fifty keys") {
    WHEN("they do it in a map that nobody guards") {
      const trial_result run = racelab_tsan("crash_concurrent_delete --fix none --trials 5 --json -");
      INFO(run.standard_output << run.standard_error);
      THEN("the pair that the scenario names is reported in every trial, and nothing else is") {
        CHECK(run.exit_code == 0);
        const auto document = nlohmann::json::parse(run.standard_output);
        const auto row = document.at("rows").at(0);
        CHECK(row.at("map") == "unordered_map");
        CHECK(row.at("kind") == "repro");
        CHECK(row.at("expected") == "report");
        CHECK(row.at("trials") == 5);
        CHECK(row.at("seen") == 5);
        CHECK(row.at("reports") >= 5);
        CHECK(row.at("unexpected").empty());
        CHECK(row.at("ok") == true);
      }
    }
    WHEN("they do it in a map under one lock") {
      const trial_result run =
          racelab_tsan("crash_concurrent_delete --fix mutex_map --trials 5 --stall-trials 20 --json -");
      INFO(run.standard_output << run.standard_error);
      THEN("there is no report, and under stalls the map stays intact and no pair is caught") {
        CHECK(run.exit_code == 0);
        const auto row = nlohmann::json::parse(run.standard_output).at("rows").at(0);
        CHECK(row.at("kind") == "fix");
        CHECK(row.at("expected") == "clean");
        CHECK(row.at("reports") == 0);
        CHECK(row.at("stall").at("trials") == 20);
        CHECK(row.at("stall").at("intact") == 20);
        CHECK(row.at("stall").at("pairs") == 0);
      }
    }
  }
  GIVEN("wrong usage") {
    const auto complaint = [](const std::string& arguments) {
      const trial_result run = racelab_tsan(arguments);
      CHECK(run.exit_code == 2);
      CHECK(racelab::tests::lines(run.standard_error).size() == 1);
      return run.standard_error;
    };
    THEN("it is told in one line") {
      CHECK(complaint("--fix no_such_map").find("no remedy 'no_such_map' (there are: ") != std::string::npos);
      CHECK(complaint("crush").find("no scenario 'crush'") != std::string::npos);
      CHECK(complaint("--option symbolize").find("is not NAME=VALUE") != std::string::npos);
      CHECK(complaint("--runtime msvc").find("--runtime") != std::string::npos);
      CHECK(complaint("--catalogue /no/such/file").find("/no/such/file: No such file") != std::string::npos);
    }
  }
}
