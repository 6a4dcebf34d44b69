// The scenarios' headers say which functions race. The runtime, which knows nothing of them, must say the same.
#include <algorithm>
#include <filesystem>
#include <memory>

#include "sanitizers/thread/racing_pair.hpp"
#include "stacks/symbolise.hpp"
#include "tests/support/catch.hpp"
#include "tests/watchpoint/run_watched.hpp"

namespace {

using nlohmann::json;
using racelab::stacks::symboliser;
using racelab::tsan::racing_pair;

std::vector<racing_pair> races_of(const std::string& scenario) {
  static const std::string key = "// race: ";
  std::ifstream source(std::string(SCENARIO_SOURCES) + "/" + scenario + ".cpp");
  std::vector<racing_pair> found;
  for (std::string line; std::getline(source, line);)
    if (line.starts_with(key))
      found.push_back(racelab::tsan::racing_pair_of(line.substr(key.size())).value());
  return found;
}

std::uintptr_t number(const json& hex) { return std::stoull(hex.get<std::string>(), nullptr, 16); }

symboliser symboliser_of(const json& modules) {
  std::vector<racelab::stacks::loaded_module> loaded;
  for (const json& each : modules.at("modules"))
    if (std::filesystem::exists(each.at("path")))
      loaded.push_back({each.at("path"), number(each.at("base"))});
  return symboliser(loaded);
}

// One side of a caught pair, with names.
struct side {
  racelab::tsan::seen_side seen;
  std::string text;  // for a failure's message
};

side named(const symboliser& names, const json& which) {
  side result;
  result.seen.writes = which.at("access") != "read";
  result.text = which.at("access").get<std::string>() + " by";
  std::vector<std::uintptr_t> pcs;
  for (const json& pc : which.at("stack")) pcs.push_back(number(pc));
  for (const racelab::stacks::frame& each : names.resolve(pcs, false)) {
    result.seen.functions.insert(racelab::tsan::bare_name(each.function));
    if (!racelab::stacks::is_runtime_frame(each))
      result.text += " < " + racelab::stacks::short_name(each.function);
  }
  return result;
}

struct evidence {
  std::vector<racing_pair> not_caught;
  std::string pairs;  // all that were caught, as text
};

// Most programs crash soon after the first meeting, so that one run shows only some of their races.
constexpr int most_runs = 20;

evidence run_until_caught(const std::string& program, std::vector<racing_pair> said) {
  evidence found{.not_caught = std::move(said), .pairs = ""};
  for (int i = 0; i < most_runs && !found.not_caught.empty(); ++i) {
    const watched_run run = run_watched(std::string(WATCH_PROGRAMS) + "/" + program);
    std::unique_ptr<symboliser> names;
    for (const json& line : run.log) {
      if (line.at("kind") == "modules") names = std::make_unique<symboliser>(symboliser_of(line));
      if (line.at("kind") != "pair") continue;
      const std::pair caught{named(*names, line.at("stalled")), named(*names, line.at("came"))};
      std::erase_if(found.not_caught, [&](const racing_pair& each) {
        return racelab::tsan::is_of_pair(each, caught.first.seen, caught.second.seen, true);
      });
      found.pairs += caught.first.text + "\n    " + caught.second.text + "\n";
    }
  }
  return found;
}

}  // namespace

SCENARIO("the pairs that are caught are those that the scenarios' headers name") {
  const std::vector<std::pair<std::string, std::string>> programs{
      {"crash_concurrent_delete", "unordered_map"}, {"crash_find_delete", "hmap_unchecked"},
      {"crash_find_grow", "unordered_map"},         {"crash_clear_find", "flat_map"},
      {"crash_iterate_delete", "hmap_unchecked"},   {"corrupt_count_drift", "hmap_unchecked"},
      {"corrupt_lost_insert", "flat_map"},          {"crash_unlocked_reads", "seed_unlocked_reads"},
  };
  for (const auto& [scenario, map] : programs) {
    GIVEN(scenario + " over " + map) {
      const std::vector<racing_pair> said = races_of(scenario);
      REQUIRE_FALSE(said.empty());
      WHEN("it runs under stalls, twenty times at most") {
        const evidence caught = run_until_caught(scenario + "." + map, said);
        THEN("each race that its header names is caught, with those functions on the two stacks") {
          INFO(caught.pairs);
          for (const racing_pair& each : caught.not_caught)
            UNSCOPED_INFO("not caught: " << each.first.function << " vs " << each.second.function);
          CHECK(caught.not_caught.empty());
        }
      }
    }
  }
}

SCENARIO("a scenario without a data race") {
  GIVEN("deletes that publish by compare-and-swap and skip when that fails") {
    WHEN("it runs under stalls") {
      const watched_run run =
          run_watched(std::string(WATCH_PROGRAMS) + "/corrupt_skipped_swap.seed_cas_snapshot");
      THEN("a key stays, and no pair is caught") {
        CHECK(run.exit_code() == 1);
        CHECK(run.log.empty());
      }
    }
  }
}
