#include "lab/catalogue.hpp"

#include <gtest/gtest.h>

#include "tests/lab/fake_lab.hpp"

namespace racelab::lab {
namespace {

/// What read_catalogue says of a file with this text, without the file's name.
std::string complaint(const std::string& text) {
  const tests::fake_lab files;
  const std::filesystem::path file = files.write("catalogue.json", text);
  try {
    (void)read_catalogue(file);
  } catch (const catalogue_error& error) {
    const std::string what = error.what();
    EXPECT_EQ(what.find('\n'), std::string::npos) << "not one line: " << what;
    EXPECT_EQ(what.rfind(file.string() + ": ", 0), 0U) << "does not name the file: " << what;
    return what.substr(std::min(what.size(), file.string().size() + 2));
  }
  return "no complaint";
}

constexpr auto whole = R"({"runtime": "gcc", "runtime_version": "12.2",
 "fixes": [{"name": "cow", "story": "Copies.", "built": false}, {"name": "locked", "story": "", "built": true}],
 "scenarios": [
  {"name": "crash_one", "story": "One \"sentence\".", "source": "repro/crash_one.cpp",
   "race": ["erase() W vs erase() W", "find() R vs erase() W"], "expect": "tsan=report", "fixes": "all",
   "not": ["cow: copies"], "timeout_ms": 500,
   "programs": [{"map": "hmap", "plain": "programs/plain/crash_one.hmap", "watch": "programs/watch/crash_one.hmap",
                 "tsan": "programs/tsan/crash_one.hmap"},
                {"map": "flat", "plain": "programs/plain/crash_one.flat", "watch": "programs/watch/crash_one.flat",
                 "tsan": "programs/tsan/crash_one.flat"}],
   "fixed": [{"map": "locked", "watch": "programs/watch/crash_one.locked", "tsan": "programs/tsan/crash_one.locked"}]},
  {"name": "norace_two", "story": "", "source": "", "race": [], "expect": "", "fixes": "", "not": [],
   "timeout_ms": null, "programs": [], "fixed": []}
],
 "corpus": [
  {"name": "race_three", "story": "Three.", "source": "repro/race_three.cpp", "race": ["count() W vs count() W"],
   "truth": "race", "harm": "crash", "reason": "it is freed", "cause": "", "expect": "tsan=report judge=confirmed",
   "shown": true, "plain": "programs/plain/race_three", "watch": "programs/watch/race_three",
   "tsan": "programs/tsan/race_three", "gcc": null, "flag": "f"},
  {"name": "norace_four", "story": "", "source": "", "race": [], "truth": "no race", "harm": "", "reason": "a lock",
   "cause": "asm-lock", "expect": "tsan=report", "shown": false, "plain": "p", "watch": "w", "tsan": "t", "gcc": "g", "flag": null}
]})";

/// `whole` with one piece of it changed.
std::string with(const std::string& piece, const std::string& other) {
  std::string text = whole;
  const std::size_t at = text.find(piece);
  EXPECT_NE(at, std::string::npos) << piece;
  return text.replace(at, piece.size(), other);
}

TEST(Catalogue, IsReadInFull) {
  const tests::fake_lab files;
  const catalogue all = read_catalogue(files.write("catalogue.json", whole));
  EXPECT_EQ(all.runtime, "gcc");
  EXPECT_EQ(all.runtime_version, "12.2");
  ASSERT_EQ(all.fixes.size(), 2U);
  EXPECT_EQ(all.fixes[0].name, "cow");
  EXPECT_EQ(all.fixes[0].story, "Copies.");
  EXPECT_FALSE(all.fixes[0].built);
  EXPECT_TRUE(all.fixes[1].built);
  const std::vector<scenario>& read = all.scenarios;
  ASSERT_EQ(read.size(), 2U);
  EXPECT_EQ(read[0].name, "crash_one");
  EXPECT_EQ(read[0].kind, scenario_kind::crash);
  EXPECT_EQ(read[0].story, "One \"sentence\".");
  EXPECT_EQ(read[0].race.size(), 2U);
  EXPECT_EQ(read[0].not_fixes, std::vector<std::string>{"cow: copies"});
  EXPECT_EQ(read[0].timeout, std::chrono::milliseconds(500));
  ASSERT_EQ(read[0].programs.size(), 2U);
  EXPECT_EQ(read[0].programs[1].map, "flat");
  EXPECT_EQ(read[0].programs[1].watch, files / "programs/watch/crash_one.flat");
  EXPECT_EQ(read[0].programs[1].tsan, files / "programs/tsan/crash_one.flat");
  ASSERT_EQ(read[0].fixed.size(), 1U);
  EXPECT_EQ(read[0].fixed[0].map, "locked");
  EXPECT_EQ(read[0].fixed[0].plain, "");
  EXPECT_EQ(read[0].fixed[0].tsan, files / "programs/tsan/crash_one.locked");
  EXPECT_EQ(read[1].kind, scenario_kind::norace);
  EXPECT_EQ(read[1].timeout, std::nullopt);
}

TEST(Catalogue, TheCorpusIsReadInFull) {
  const tests::fake_lab files;
  const std::vector<corpus_program> read = read_catalogue(files.write("catalogue.json", whole)).corpus;
  ASSERT_EQ(read.size(), 2U);
  EXPECT_EQ(read[0].name, "race_three");
  EXPECT_EQ(read[0].what, truth::race);
  EXPECT_EQ(read[0].harm, "crash");
  EXPECT_EQ(read[0].reason, "it is freed");
  EXPECT_EQ(read[0].race.size(), 1U);
  EXPECT_EQ(read[0].expect, (std::map<std::string, std::string>{{"judge", "confirmed"}, {"tsan", "report"}}));
  EXPECT_TRUE(read[0].shown);
  EXPECT_EQ(read[0].watch, files / "programs/watch/race_three");
  EXPECT_EQ(read[0].gcc, "");
  EXPECT_EQ(read[0].flag, files / "f");
  EXPECT_EQ(read[1].what, truth::no_race);
  EXPECT_EQ(read[1].cause, "asm-lock");
  EXPECT_EQ(read[1].gcc, files / "g");
  EXPECT_EQ(read[1].flag, "");
  EXPECT_EQ(complaint(with("\"truth\": \"race\"", "\"truth\": \"maybe\"")),
            "program 1 of the corpus (race_three): \"truth\" is none of no race, race, deadlock");
  EXPECT_EQ(complaint(with("tsan=report judge=confirmed", "tsan")),
            "program 1 of the corpus (race_three): \"expect\": 'tsan' has no '='");
  EXPECT_EQ(complaint(with("norace_four", "race_three")),
            "program 2 of the corpus (race_three): that name stands there twice");
  EXPECT_EQ(complaint(with("\"corpus\": [", "\"corps\": [")), "no \"corpus\"");
  EXPECT_EQ(select_programs(read, {"norace_"}).size(), 1U);
  EXPECT_THROW((void)select_programs(read, {"crash_"}), catalogue_error);
}

TEST(Catalogue, ComplaintsNameFileAndPlace) {
  EXPECT_EQ(complaint(with("\"story\": \"One", "\"stories\": \"One")),
            "scenario 1 (crash_one): no \"story\"");
  EXPECT_EQ(complaint(with("500", "\"soon\"")),
            "scenario 1 (crash_one): \"timeout_ms\" is not a number of milliseconds up to a day");
  EXPECT_EQ(complaint(with("500", "-1")),
            "scenario 1 (crash_one): \"timeout_ms\" is not a number of milliseconds up to a day");
  EXPECT_EQ(complaint(with("crash_one", "smash_one")),
            "scenario 1 (smash_one): its name starts with none of crash_, corrupt_, race_, hang_, norace_, "
            "misuse_");
  EXPECT_EQ(complaint(with("\"map\": \"flat\"", "\"map\": 3")),
            "scenario 1 (crash_one), program 2: \"map\" is not a string");
  EXPECT_EQ(complaint(with("\"map\": \"flat\"", "\"map\": \"hmap\"")),
            "scenario 1 (crash_one), program 2: map hmap stands there twice");
  EXPECT_EQ(complaint(with("\"map\": \"locked\"", "\"map\": \"flat\"")),
            "scenario 1 (crash_one), remedy 1: map flat stands there twice");
  EXPECT_EQ(complaint(with("\"built\": false", "\"built\": 0")),
            "remedy 1: \"built\" is neither true nor false");
  EXPECT_EQ(complaint(with("norace_two", "crash_one")),
            "scenario 2 (crash_one): that name stands there twice");
  EXPECT_EQ(complaint(with("[\"cow: copies\"]", "[1]")),
            "scenario 1 (crash_one): \"not\" is not a list of strings");
  EXPECT_EQ(complaint(with("\"scenarios\": [", "\"scenarios\": [5,")), "scenario 1: not an object");
  EXPECT_EQ(complaint("[]"), "not an object");
  EXPECT_EQ(complaint("{}"), "no \"runtime\"");
  EXPECT_EQ(complaint(with("\"scenarios\": [", "\"scenario\": [")), "no \"scenarios\"");
}

TEST(Catalogue, EveryTruncatedFileIsRefused) {
  const std::string text = whole;
  for (std::size_t size = 0; size < text.find_last_of('}'); ++size) {
    ASSERT_NE(complaint(text.substr(0, size)), "no complaint") << size << " bytes";
  }
}

TEST(Catalogue, MissingFileAndFolderAreRefused) {
  const tests::fake_lab files;
  EXPECT_THROW(
      {
        try {
          (void)read_catalogue(files / "none.json");
        } catch (const catalogue_error& error) {
          EXPECT_EQ(error.what(), (files / "none.json").string() + ": No such file or directory");
          throw;
        }
      },
      catalogue_error);
  EXPECT_THROW((void)read_catalogue(files / ""), catalogue_error);
}

std::vector<scenario> named(const std::vector<std::string>& names) {
  std::vector<scenario> result;
  for (const std::string& name : names) {
    result.emplace_back().name = name;
    for (const char* map : {"hmap", "flat"})
      result.back().programs.push_back({.map = map, .plain = {}, .watch = {}, .tsan = {}});
  }
  result.back().programs.pop_back();
  return result;
}

std::vector<std::string> names_of(const std::vector<scenario>& scenarios) {
  std::vector<std::string> result;
  for (const scenario& one : scenarios) result.push_back(one.name);
  return result;
}

using strings = std::vector<std::string>;

TEST(SelectScenarios, ByNameGlobAndStart) {
  const std::vector<scenario> all = named({"crash_a", "crash_ab", "hang_a", "race_b"});
  EXPECT_EQ(names_of(select_scenarios(all, {})).size(), 4U);
  EXPECT_EQ(names_of(select_scenarios(all, {"crash_a"})), strings{"crash_a"}) << "a full name is not a start";
  EXPECT_EQ(names_of(select_scenarios(all, {"crash_"})), (strings{"crash_a", "crash_ab"}));
  EXPECT_EQ(names_of(select_scenarios(all, {"*_a"})), (strings{"crash_a", "hang_a"}));
  EXPECT_EQ(names_of(select_scenarios(all, {"race_b", "*_a", "hang_a"})),
            (strings{"crash_a", "hang_a", "race_b"}))
      << "in the catalogue's order, none twice";
  EXPECT_THROW((void)select_scenarios(all, {"crash_a", "crush"}), catalogue_error);
  EXPECT_THROW((void)select_scenarios(all, {""}), catalogue_error);
}

TEST(SelectMaps, LeavesScenariosThatHaveIt) {
  const std::vector<scenario> all = named({"crash_a", "crash_b"});
  EXPECT_EQ(names_of(select_maps(all, {"hmap"})), (strings{"crash_a", "crash_b"}));
  EXPECT_EQ(names_of(select_maps(all, {"flat"})), strings{"crash_a"});
  EXPECT_EQ(select_maps(all, {"flat"})[0].programs.size(), 1U);
  EXPECT_EQ(select_maps(all, {})[0].programs.size(), 2U);
  EXPECT_THROW((void)select_maps(all, {"hmap", "tree"}), catalogue_error);
}

}  // namespace
}  // namespace racelab::lab
