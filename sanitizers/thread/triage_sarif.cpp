#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "sanitizers/thread/sarif.hpp"
#include "sanitizers/thread/sites.hpp"
#include "sanitizers/thread/triage_documents.hpp"
#include "stacks/symbolise.hpp"

namespace racelab::tsan {
namespace {

using json = nlohmann::ordered_json;

class writer {
 public:
  writer(const triage_result& result, std::string_view source_root)
      : result_(&result), source_root_(source_root) {}

  json results() {
    json all = json::array();
    for (const finding& each : result_->findings) all.push_back(result_of(each));
    return all;
  }

  json rules() const {
    json all = json::array();
    for (const kind_description& each : used_) {
      all.push_back({{"id", each.name},
                     {"shortDescription", {{"text", each.title}}},
                     {"helpUri", "https://github.com/google/sanitizers/wiki/ThreadSanitizerDetectableBugs"},
                     {"defaultConfiguration", {{"level", level(each.kind)}}}});
    }
    return all;
  }

  json notifications() const {
    json all = json::array();
    for (const place_complaint& each : result_->complaints) {
      json notification{{"level", "warning"}, {"message", {{"text", each.text}}}};
      notification["locations"] = {
          {{"physicalLocation", sarif_place(each.at.log, each.at.line, 0, source_root_)}}};
      all.push_back(std::move(notification));
    }
    return all;
  }

 private:
  static std::string_view level(report_kind kind) {
    return is_runtime_failure(kind) || kind == report_kind::thread_leak ? "warning" : "error";
  }

  std::size_t rule_of(report_kind kind) {
    const auto found = std::ranges::find(used_, kind, &kind_description::kind);
    if (found != used_.end()) return static_cast<std::size_t>(found - used_.begin());
    used_.push_back(describe(kind));
    return used_.size() - 1;
  }

  static std::string name_of(const report& in, const frame& of) {
    if (of.function.empty()) return fmt::format("{}+{:#x}", of.module, of.offset);
    return in.go ? of.function : stacks::short_name(of.function);
  }

  json location_of(const report& in, const frame& of, std::string_view message) const {
    json result = json::object();
    if (!of.file.empty()) result["physicalLocation"] = sarif_place(of.file, of.line, of.column, source_root_);
    result["logicalLocations"] = {
        {{"name", name_of(in, of)}, {"fullyQualifiedName", of.function.empty() ? of.module : of.function}}};
    if (!message.empty()) result["message"] = {{"text", message}};
    return result;
  }

  json stack_of(const report& in, const stack& of, std::string_view message) const {
    json frames = json::array();
    for (const frame& each : of.frames) {
      json shown{{"location", location_of(in, each, "")}};
      if (!each.module.empty()) shown["module"] = each.module;
      frames.push_back(std::move(shown));
    }
    json result{{"frames", std::move(frames)}};
    if (!message.empty()) result["message"] = {{"text", message}};
    return result;
  }

  void relate(json& result, const report& in, const stack& where, std::string_view message) const {
    if (where.frames.empty()) return;
    json one = location_of(in, where.frames[user_frame(where)], message);
    one["id"] = result["relatedLocations"].size() + 1;
    result["relatedLocations"].push_back(std::move(one));
  }

  json result_of(const finding& of) {
    const report& in = of.first;
    const auto sides = parties(in);
    std::string message = in.title;
    for (std::size_t i = 0; i < sides.size(); ++i) {
      message += i == 0 ? ": " : "; ";
      message += sides[i].what.empty() ? "at" : sides[i].what + " at";
      message += " " + (sides[i].where->frames.empty()
                            ? "an unknown place"
                            : name_of(in, sides[i].where->frames[user_frame(*sides[i].where)]));
    }
    json result{{"ruleId", describe(in.kind).name},
                {"ruleIndex", rule_of(in.kind)},
                {"level", level(in.kind)},
                {"message", {{"text", message}}},
                {"locations", json::array()},
                {"relatedLocations", json::array()},
                {"stacks", json::array()},
                {"partialFingerprints", {{"racelabSignature/v1", of.fingerprint}}},
                {"occurrenceCount", of.count}};
    for (const party& side : sides) {
      result["stacks"].push_back(stack_of(in, *side.where, side.what));
      if (side.where->frames.empty()) continue;
      const frame& shown = side.where->frames[user_frame(*side.where)];
      if (result["locations"].empty()) result["locations"].push_back(location_of(in, shown, side.what));
      relate(result, in, *side.where, side.what);
    }
    if (in.sleep) relate(result, in, *in.sleep, "as if synchronized via sleep");
    if (in.accessed) relate(result, in, in.accessed->where, location_title(in));
    for (const mutex& each : in.mutexes) relate(result, in, each.created, each.id + " created");
    for (const thread& each : in.threads) {
      relate(result, in, each.created, thread_title(in, each.number) + " created");
    }
    return result;
  }

  const triage_result* result_;
  std::string_view source_root_;
  std::vector<kind_description> used_;
};

}  // namespace

std::string sarif_document(const triage_result& result, std::string_view version,
                           std::string_view source_root) {
  source_root = sarif_root(source_root);
  writer made(result, source_root);
  json results = made.results();
  json run{
      {"tool",
       {{"driver", {{"name", "racelab triage"}, {"semanticVersion", version}, {"rules", made.rules()}}}}},
      {"invocations",
       {{{"executionSuccessful", true}, {"toolExecutionNotifications", made.notifications()}}}},
      {"columnKind", "utf16CodeUnits"},
      {"results", std::move(results)}};
  return sarif_log(std::move(run), source_root);
}

}  // namespace racelab::tsan
