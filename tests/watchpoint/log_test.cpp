// The record log, as programs write it.
#include <gtest/gtest.h>

#include <set>

#include "tests/watchpoint/run_watched.hpp"

namespace {

using nlohmann::json;

std::string program(const std::string& name) { return std::string(WATCHED_PROGRAMS) + "/" + name; }

std::set<std::string> keys(const json& object) {
  std::set<std::string> found;
  for (const auto& [key, value] : object.items()) found.insert(key);
  return found;
}

bool is_hex(const json& value) {
  return value.is_string() && value.get<std::string>().starts_with("0x") &&
         value.get<std::string>().find_first_not_of("0123456789abcdef", 2) == std::string::npos;
}

std::uint64_t number(const json& hex) { return std::stoull(hex.get<std::string>(), nullptr, 16); }

void expect_side(const json& side) {
  EXPECT_EQ(keys(side), (std::set<std::string>{"thread", "access", "atomic", "address", "size", "visit", "pc",
                                               "stack", "created_by"}));
  EXPECT_GE(side.at("thread"), 1);
  EXPECT_TRUE((std::set<std::string>{"read", "write", "free"}.contains(side.at("access"))));
  EXPECT_TRUE(side.at("atomic").is_boolean());
  EXPECT_TRUE(side.at("size").is_number_unsigned());
  EXPECT_TRUE(side.at("visit").is_number_unsigned());
  EXPECT_TRUE(is_hex(side.at("address")));
  EXPECT_TRUE(is_hex(side.at("pc")));
  EXPECT_GE(side.at("stack").size(), 2U);
  for (const char* stack : {"stack", "created_by"})
    for (const json& pc : side.at(stack)) EXPECT_TRUE(is_hex(pc));
  EXPECT_TRUE(std::ranges::count(side.at("stack"), side.at("pc"))) << "the access is on its stack";
}

// Which module holds this address, by the last modules line before.
std::string module_of(const json& modules, std::uint64_t address) {
  for (const json& each : modules.at("modules"))
    if (address >= number(each.at("base")) && address < number(each.at("end"))) return each.at("path");
  return "";
}

TEST(Log, OfAPairHasTheDocumentedKeys) {
  const watched_run run = run_watched(program("racing_writers"));
  EXPECT_EQ(run.exit_code(), 0) << run.program.errors;
  ASSERT_GE(run.log.size(), 2U);

  const json& modules = run.log[0];
  EXPECT_EQ(keys(modules), (std::set<std::string>{"kind", "process", "modules"}));
  EXPECT_EQ(modules.at("kind"), "modules");
  ASSERT_GE(modules.at("modules").size(), 3U);
  for (const json& each : modules.at("modules")) {
    EXPECT_EQ(keys(each), (std::set<std::string>{"path", "base", "end"}));
    EXPECT_LT(number(each.at("base")), number(each.at("end")));
  }

  for (const json& pair : run.of_kind("pair")) {
    EXPECT_EQ(keys(pair), (std::set<std::string>{"kind", "process", "stalled", "came", "value_before"}));
    EXPECT_EQ(pair.at("process"), modules.at("process"));
    EXPECT_TRUE(is_hex(pair.at("value_before")));
    for (const char* which : {"stalled", "came"}) {
      expect_side(pair.at(which));
      EXPECT_EQ(module_of(modules, number(pair.at(which).at("pc"))), program("racing_writers"));
    }
    EXPECT_NE(pair.at("stalled").at("thread"), pair.at("came").at("thread"));
  }
  EXPECT_GE(run.of_kind("pair").size(), 1U);
}

TEST(Log, HasTheModulesAgainAfterDlopen) {
  const watched_run run = run_watched(program("late_library"));
  EXPECT_EQ(run.exit_code(), 0) << run.program.errors;
  ASSERT_EQ(run.log.size(), 4U);
  const std::vector<std::string> kinds{run.log[0].at("kind"), run.log[1].at("kind"), run.log[2].at("kind"),
                                       run.log[3].at("kind")};
  EXPECT_EQ(kinds, (std::vector<std::string>{"modules", "pair", "modules", "pair"}));
  const auto has_it = [](const json& line) {
    return std::ranges::any_of(line.at("modules"),
                               [](const json& each) { return each.at("path") == LATE_MODULE; });
  };
  EXPECT_FALSE(has_it(run.log[0]));
  EXPECT_TRUE(has_it(run.log[2]));
}

TEST(Log, KeepsARecordThoughTheProcessDiesRightAfterTheHit) {
  for (int i = 0; i < 20; ++i) {
    const watched_run run = run_watched(program("crash_after_hit"));
    EXPECT_EQ(run.program.killed_by(), SIGSEGV);
    ASSERT_EQ(run.of_kind("pair").size(), 1U);
    EXPECT_EQ(run.of_kind("pair")[0].at("stalled").at("access"), "read");
    EXPECT_EQ(run.of_kind("pair")[0].at("came").at("access"), "write");
  }
}

TEST(Log, IsOfferedToSmallStacksToo) {
  const watched_run run = run_watched(program("small_stack"));
  EXPECT_EQ(run.exit_code(), 0) << run.program.errors;
  EXPECT_EQ(run.of_kind("pair").size(), 1U);
}

TEST(Log, ThatIsFullCostsRecordsOnly) {
  const watched_run run = run_watched(program("crash_after_hit"), {{"RACELAB_WATCH_LOG", "/dev/full"}});
  EXPECT_EQ(run.program.killed_by(), SIGSEGV);
  EXPECT_EQ(run_watched(program("racing_writers"), {{"RACELAB_WATCH_LOG", "/dev/full"}}).exit_code(), 0);
}

TEST(Log, HoldsAsManyRecordsAsAskedFor) {
  const watched_run run = run_watched(program("racing_writers"), {{"RACELAB_WATCH", "max_records=0"}});
  EXPECT_EQ(run.exit_code(), 0) << run.program.errors;
  EXPECT_TRUE(run.log.empty());
}

}  // namespace
