// What linear.NAME says of each remedy and of each planted bug. `make check-linear` asks for more operations.
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/scratch.hpp"

namespace {

// The maps of linear_programs.txt that are in `folder`.
std::vector<std::string> maps_in(const std::string& folder) {
  std::ifstream list(std::string(RACELAB_BUILD) + "/linear_programs.txt");
  std::vector<std::string> maps;
  for (std::string of, map; list >> of >> map;)
    if (of == folder) maps.push_back(map);
  return maps;
}

struct finished {
  int exit_code = -1;
  std::string output;       // stdout and stderr
  nlohmann::json document;  // discarded if there is none
};

finished run(const std::string& folder, const std::string& map, const std::string& arguments) {
  const scratch_file written;
  std::FILE* const pipe = popen((std::string(RACELAB_BUILD) + "/programs/" + folder + "/linear." + map + " " +
                                 arguments + " --json " + written.path() + " 2>&1")
                                    .c_str(),
                                "r");
  REQUIRE(pipe != nullptr);
  finished result;
  std::array<char, 4096> buffer{};
  while (const auto got = std::fread(buffer.data(), 1, buffer.size(), pipe))
    result.output.append(buffer.data(), got);
  const int status = pclose(pipe);
  if (WIFEXITED(status)) result.exit_code = WEXITSTATUS(status);
  std::ifstream file(written.path());
  result.document = nlohmann::json::parse(file, nullptr, false);
  return result;
}

SCENARIO("A remedy is linearizable under stalls") {
  const auto remedies = maps_in("linear");
  REQUIRE_FALSE(remedies.empty());
  for (const auto& map : remedies) {
    GIVEN(map) {
      const auto seen = run("linear", map, "--operations 5000 --seconds 3");
      INFO(seen.output);
      THEN(
          "every history has an order, threads were stalled and operations overlapped, and no data race was "
          "met") {
        REQUIRE(seen.exit_code == 0);
        CHECK(seen.document.at("map") == map);
        CHECK(seen.document.at("result") == "linearizable");
        CHECK(seen.document.at("problem").is_null());
        CHECK(seen.document.at("operations") >= 100);
        CHECK(seen.document.at("stalls") > 50);
        CHECK(seen.document.at("overlapping") > 50);
        CHECK(seen.document.at("pairs") == 0);
        CHECK(seen.document.at("changed") == 0);
      }
    }
  }
}

SCENARIO("A planted bug is rejected with a counter-example") {
  for (const std::string map : {"seed_cas_snapshot", "hybrid_cache_kept", "check_then_act", "stale_walk"}) {
    GIVEN(map) {
      const auto seen = run("planted", map, "--operations 50000");
      INFO(seen.output);
      THEN("a counter-example is printed, and there was no data race to give the bug away") {
        REQUIRE(seen.exit_code == 1);
        CHECK(seen.document.at("result") == "not linearizable");
        const auto problem = seen.document.at("problem").get<std::string>();
        CHECK(problem.starts_with("no order of these operations on key "));
        CHECK(seen.output.find(problem) != std::string::npos);
        CHECK(seen.document.at("pairs") == 0);
        CHECK(seen.document.at("changed") == 0);
      }
    }
  }
}

SCENARIO("A data race is no success, whatever the results") {
  const auto seen = run("planted", "racing_counter", "--operations 50000");
  INFO(seen.output);
  REQUIRE(seen.exit_code == 1);
  CHECK(seen.document.at("result") == "data race");
  CHECK(seen.document.at("problem").is_null());
  CHECK(seen.output.find("RACELAB_WATCH_LOG") != std::string::npos);
}

SCENARIO("Wrong usage is told from a verdict") {
  for (const std::string wrong : {"--operations -1", "--operations many", "--threads 0", "--sed 1"}) {
    INFO(wrong);
    CHECK(run("linear", "mutex_map", wrong).exit_code == 2);
  }
  CHECK(run("linear", "mutex_map", "--operations 100 --json /nowhere/at/all").exit_code == 2);
}

}  // namespace
