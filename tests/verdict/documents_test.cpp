#include "sanitizers/verdict/documents.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <stdexcept>

namespace {

using namespace racelab::verdict;
using nlohmann::json;

judged_site site(const std::string& function, unsigned line) {
  return {.file = "src/a.cpp", .line = line, .function = function, .access = "write", .size = 8};
}

recipe_file full_recipe() {
  recipe_file file;
  file.program = "/home/user/server";
  file.watch = "/home/user/server.watch";
  file.watch_fingerprint = "0123456789abcdef";
  file.arguments = {"--name", "two words", "\"quoted\" \\ and\nmore"};
  file.directory = "/home/user";
  file.standard_input = "/home/user/input";
  file.library_path = "/usr/lib/racelab/gcc";
  file.timeout_ms = 12'345;
  file.verdict_id = "fedcba9876543210";
  file.what.plan = {"stall -+0x1234 us=1000000 thread=2 visit=0 until=hit"};
  file.what.catches = catch_kind::deadlock;
  file.what.options = "lock_stall_us=5000";
  file.what.marks_heap = false;
  file.what.seed = ~std::uint64_t{0};
  file.what.reproduced = 4;
  file.what.trials = 5;
  file.what.sites = {site("f()", 7), judged_site{}};
  return file;
}

TEST(Recipe, IsReadAsItWasWritten) {
  const recipe_file written = full_recipe();
  const recipe_file read = read_recipe(recipe_document(written));
  EXPECT_EQ(read.program, written.program);
  EXPECT_EQ(read.watch, written.watch);
  EXPECT_EQ(read.watch_fingerprint, written.watch_fingerprint);
  EXPECT_EQ(read.arguments, written.arguments);
  EXPECT_EQ(read.directory, written.directory);
  EXPECT_EQ(read.standard_input, written.standard_input);
  EXPECT_EQ(read.library_path, written.library_path);
  EXPECT_EQ(read.timeout_ms, written.timeout_ms);
  EXPECT_EQ(read.verdict_id, written.verdict_id);
  EXPECT_EQ(read.what.plan, written.what.plan);
  EXPECT_EQ(read.what.catches, written.what.catches);
  EXPECT_EQ(read.what.options, written.what.options);
  EXPECT_EQ(read.what.marks_heap, written.what.marks_heap);
  EXPECT_EQ(read.what.seed, written.what.seed);
  EXPECT_EQ(read.what.reproduced, written.what.reproduced);
  EXPECT_EQ(read.what.trials, written.what.trials);
  ASSERT_EQ(read.what.sites.size(), 2U);
  EXPECT_EQ(read.what.sites[0].function, "f()");
  EXPECT_EQ(read.what.sites[0].line, 7U);
  EXPECT_EQ(read.what.sites[1].function, "");
  EXPECT_EQ(read.what.sites[1].line, 0U);
}

TEST(Recipe, OtherTextIsRefusedInOneLine) {
  const json good = json::parse(recipe_document(full_recipe()));
  const auto changed = [&](const std::string& pointer, const json& value) {
    json bad = good;
    bad[json::json_pointer(pointer)] = value;
    return bad.dump();
  };
  const auto without = [&](const std::string& key) {
    json bad = good;
    bad.erase(key);
    return bad.dump();
  };
  for (const std::string& text :
       {std::string(), std::string("no JSON"), std::string("[]"), std::string("{}"), std::string("null"),
        recipe_document(full_recipe()).substr(0, 100), changed("/kind", "something else"),
        changed("/version", 2), changed("/arguments", "one"), changed("/timeout_ms", "long"),
        changed("/recipe", nullptr), changed("/recipe/plan", 7), changed("/recipe/seed", "x"),
        changed("/recipe/catches", "a fish"), changed("/recipe/sites", json::array()),
        changed("/recipe/sites/0", 7), without("watch"), without("watch_fingerprint"), without("recipe")}) {
    try {
      (void)read_recipe(text);
      ADD_FAILURE() << "taken for a recipe: " << text;
    } catch (const std::runtime_error& error) {
      EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
    }
  }
}

judgement one_report() {
  judgement all;
  all.program = "./server";
  all.seconds = 1.5;
  all.seed = 7;
  judged_report& report = all.reports.emplace_back();
  report.id = "fedcba9876543210";
  report.kind = "data-race";
  report.title = "data race";
  report.sites = {site("f()", 7), site("g()", 9)};
  report.what = verdict::likely_false;
  report.reason = "It waits.";
  report.cause = "asm-lock";
  report.why = {{"delay", "slope 1", {{1, 1.1}, {2, 2.1}}}};
  return all;
}

TEST(JudgeDocument, WhatIsNotKnownIsNull) {
  const json document = json::parse(json_document(one_report()));
  EXPECT_EQ(document.at("verdict"), "likely-false");
  const json& report = document.at("reports").at(0);
  EXPECT_EQ(report.at("cause"), "asm-lock");
  EXPECT_EQ(report.at("evidence").at(0).at("points_ms"), json::parse("[[1.0, 1.1], [2.0, 2.1]]"));
  for (const char* key : {"consequence", "consequence_detail", "value", "recipe"})
    EXPECT_TRUE(report.at(key).is_null()) << key;
  EXPECT_EQ(report.at("sites").at(1).at("line"), 9);
}

TEST(JudgeDocument, TextThatIsNoUtf8DoesNotBreakIt) {
  judgement all = one_report();
  all.reports[0].crash = all.reports[0].reason = "\xff\xfe";
  EXPECT_TRUE(json::accept(json_document(all)));
  EXPECT_TRUE(json::accept(sarif_document(all, "1.0.0", "/src")));
}

TEST(JudgeDocument, VerdictIsTheWorstOfItsReports) {
  judgement all = one_report();
  EXPECT_EQ(all.overall(), "likely-false");
  all.reports.push_back(all.reports.front());
  for (const verdict what : {verdict::ordering_only, verdict::unconfirmed, verdict::confirmed}) {
    all.reports.back().what = what;
    EXPECT_EQ(all.overall(), name(what));
  }
  all.reports.clear();
  EXPECT_EQ(all.overall(), "no-report");
}

TEST(JudgeSarif, BothSidesAreRelatedLocations) {
  const json run = json::parse(sarif_document(one_report(), "1.0.0", "/src")).at("runs").at(0);
  const json& result = run.at("results").at(0);
  EXPECT_EQ(result.at("ruleId"), "likely-false");
  EXPECT_EQ(result.at("level"), "note");
  EXPECT_EQ(run.at("tool").at("driver").at("rules").at(result.at("ruleIndex").get<std::size_t>()).at("id"),
            "likely-false");
  EXPECT_EQ(result.at("locations").size(), 1U);
  EXPECT_EQ(result.at("relatedLocations").size(), 2U);
}

}  // namespace
