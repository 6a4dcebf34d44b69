#include "sanitizers/verdict/documents.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

#include "sanitizers/thread/sarif.hpp"
#include "sanitizers/verdict/controls.hpp"

namespace racelab::verdict {
namespace {

using json = nlohmann::ordered_json;

json or_null(const std::string& text) { return text.empty() ? json(nullptr) : json(text); }

json site_json(const judged_site& of) {
  return {{"file", or_null(of.file)},
          {"line", of.line == 0 ? json(nullptr) : json(of.line)},
          {"function", or_null(of.function)},
          {"access", or_null(of.access)},
          {"size", of.size == 0 ? json(nullptr) : json(of.size)}};
}

judged_site site_from(const json& of) {
  const auto text = [&](const char* key) {
    return of.at(key).is_null() ? "" : of.at(key).get<std::string>();
  };
  return {.file = text("file"),
          .line = of.at("line").is_null() ? 0 : of.at("line").get<unsigned>(),
          .function = text("function"),
          .access = text("access"),
          .size = of.at("size").is_null() ? 0 : of.at("size").get<std::uint64_t>()};
}

json sites_json(const std::vector<judged_site>& sites) {
  json all = json::array();
  for (const judged_site& each : sites) all.push_back(site_json(each));
  return all;
}

json frames_json(const std::vector<stacks::frame>& frames) {
  json all = json::array();
  for (const stacks::frame& each : frames)
    all.push_back({{"function", or_null(each.function)},
                   {"file", or_null(each.file)},
                   {"line", each.line <= 0 ? json(nullptr) : json(each.line)},
                   {"module", or_null(each.module)},
                   {"inlined", each.inlined}});
  return all;
}

json evidence_json(const std::vector<evidence_item>& items) {
  json all = json::array();
  for (const evidence_item& each : items) {
    json one{{"type", each.type}, {"detail", each.detail}};
    if (!each.points.empty()) {
      json points = json::array();
      for (const delay_point& point : each.points) points.push_back({point.stalled_ms, point.came_ms});
      one["points_ms"] = std::move(points);
    }
    all.push_back(std::move(one));
  }
  return all;
}

json recipe_json(const recipe& of) {
  return {{"catches", name(of.catches)},
          {"plan", of.plan},
          {"options", of.options},
          {"marks_heap", of.marks_heap},
          {"seed", of.seed},
          {"reproduced", of.reproduced},
          {"trials", of.trials},
          {"sites", sites_json(of.sites)}};
}

json control_json(const std::string& cause, std::string_view negative_control::* part) {
  const negative_control* const control = control_of(cause);
  return control == nullptr ? json(nullptr) : json(control->*part);
}

json report_json(const judged_report& of) {
  json caught = json::array();
  for (const caught_side& each : of.caught)
    caught.push_back({{"title", each.title},
                      {"stack", frames_json(each.frames)},
                      {"created_by", frames_json(each.created_by)}});
  return {{"id", of.id},
          {"kind", of.kind},
          {"title", of.title},
          {"reported", of.reported},
          {"seen", of.seen},
          {"sites", sites_json(of.sites)},
          {"verdict", name(of.what)},
          {"reason", of.reason},
          {"cause", or_null(of.cause)},
          {"control", control_json(of.cause, &negative_control::program)},
          {"advice", control_json(of.cause, &negative_control::advice)},
          {"consequence", of.harm ? json(name(*of.harm)) : json(nullptr)},
          {"consequence_detail", or_null(of.harm_detail)},
          {"evidence", evidence_json(of.why)},
          {"trials", of.trials},
          {"caught", std::move(caught)},
          {"caught_after", of.caught_after ? json(*of.caught_after) : json(nullptr)},
          {"value", or_null(of.value)},
          {"recipe", of.again ? recipe_json(*of.again) : json(nullptr)}};
}

std::string dump(const json& document) {
  return document.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

std::string_view level(verdict what) {
  switch (what) {
    case verdict::confirmed:
      return "error";
    case verdict::unconfirmed:
    case verdict::ordering_only:
      return "warning";
    case verdict::likely_false:
      break;
  }
  return "note";
}

json location_json(const judged_site& of, std::string_view message, std::string_view root) {
  json result = json::object();
  if (!of.file.empty()) result["physicalLocation"] = tsan::sarif_place(of.file, of.line, 0, root);
  if (!of.function.empty())
    result["logicalLocations"] = {{{"name", of.function}, {"fullyQualifiedName", of.function}}};
  result["message"] = {{"text", message}};
  return result;
}

}  // namespace

std::string json_document(const judgement& of) {
  json reports = json::array();
  for (const judged_report& each : of.reports) reports.push_back(report_json(each));
  return dump({{"version", 1},
               {"program", of.program},
               {"seconds", of.seconds},
               {"verdict", of.overall()},
               {"seed", of.seed},
               {"tsan_runs", of.tsan_runs},
               {"watch_runs", of.watch_runs},
               {"interrupted", of.interrupted},
               {"notes", of.notes},
               {"reports", std::move(reports)}});
}

std::string sarif_document(const judgement& of, std::string_view version, std::string_view source_root) {
  const std::string_view root = tsan::sarif_root(source_root);
  json rules = json::array();
  for (const verdict each :
       {verdict::confirmed, verdict::unconfirmed, verdict::ordering_only, verdict::likely_false}) {
    rules.push_back(
        {{"id", name(each)},
         {"shortDescription", {{"text", fmt::format("A report of ThreadSanitizer: {}", name(each))}}},
         {"defaultConfiguration", {{"level", level(each)}}}});
  }
  json results = json::array();
  for (const judged_report& each : of.reports) {
    json result{{"ruleId", name(each.what)},
                {"ruleIndex", static_cast<unsigned>(each.what)},
                {"level", level(each.what)},
                {"message", {{"text", fmt::format("{}, {}: {}", each.title, name(each.what), each.reason)}}},
                {"locations", json::array()},
                {"relatedLocations", json::array()},
                {"partialFingerprints", {{"racelabJudged/v1", each.id}}},
                {"properties",
                 {{"verdict", name(each.what)},
                  {"kind", each.kind},
                  {"consequence", each.harm ? json(name(*each.harm)) : json(nullptr)},
                  {"cause", or_null(each.cause)},
                  {"evidence", evidence_json(each.why)},
                  {"trials", each.trials}}}};
    for (const judged_site& site : each.sites) {
      json one = location_json(site, site.access.empty() ? "here" : site.access, root);
      if (result["locations"].empty()) result["locations"].push_back(one);
      one["id"] = result["relatedLocations"].size() + 1;
      result["relatedLocations"].push_back(std::move(one));
    }
    results.push_back(std::move(result));
  }
  return tsan::sarif_log(
      {{"tool",
        {{"driver", {{"name", "racelab judge"}, {"semanticVersion", version}, {"rules", std::move(rules)}}}}},
       {"invocations", {{{"executionSuccessful", !of.interrupted}}}},
       {"columnKind", "utf16CodeUnits"},
       {"properties", {{"verdict", of.overall()}, {"program", of.program}}},
       {"results", std::move(results)}},
      root);
}

std::string recipe_document(const recipe_file& of) {
  return dump({{"version", 1},
               {"kind", "racelab recipe"},
               {"program", of.program},
               {"watch", of.watch},
               {"watch_fingerprint", of.watch_fingerprint},
               {"arguments", of.arguments},
               {"directory", of.directory},
               {"standard_input", or_null(of.standard_input)},
               {"library_path", or_null(of.library_path)},
               {"timeout_ms", of.timeout_ms},
               {"report", of.verdict_id},
               {"recipe", recipe_json(of.what)}});
}

recipe_file read_recipe(std::string_view text) {
  try {
    const json document = json::parse(text);
    if (document.at("kind") != "racelab recipe" || document.at("version") != 1)
      throw std::runtime_error("no recipe of this racelab");
    const auto optional_text = [&](const char* key) {
      return document.at(key).is_null() ? "" : document.at(key).get<std::string>();
    };
    const json& what = document.at("recipe");
    const auto catches = catch_kind_named(what.value("catches", name(catch_kind::pair)));
    if (!catches) throw std::runtime_error("a recipe for something unknown");
    recipe_file result{.program = document.at("program").get<std::string>(),
                       .watch = document.at("watch").get<std::string>(),
                       .watch_fingerprint = document.at("watch_fingerprint").get<std::string>(),
                       .arguments = document.at("arguments").get<std::vector<std::string>>(),
                       .directory = document.at("directory").get<std::string>(),
                       .standard_input = optional_text("standard_input"),
                       .library_path = optional_text("library_path"),
                       .timeout_ms = document.at("timeout_ms").get<long>(),
                       .verdict_id = document.at("report").get<std::string>(),
                       .what = {.catches = *catches,
                                .plan = what.at("plan").get<std::vector<std::string>>(),
                                .options = what.value("options", std::string()),
                                .marks_heap = what.value("marks_heap", true),
                                .seed = what.at("seed").get<std::uint64_t>(),
                                .reproduced = what.at("reproduced").get<unsigned>(),
                                .trials = what.at("trials").get<unsigned>(),
                                .sites = {}}};
    for (const json& each : what.at("sites")) result.what.sites.push_back(site_from(each));
    if (const std::size_t sites = result.what.sites.size();
        sites < (result.what.catches == catch_kind::change ? 1U : 2U))
      throw std::runtime_error("a recipe says where its threads are caught");
    return result;
  } catch (const json::exception& error) {
    throw std::runtime_error(fmt::format("no recipe: {}", error.what()));
  }
}

}  // namespace racelab::verdict
