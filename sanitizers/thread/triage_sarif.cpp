#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "sanitizers/thread/sites.hpp"
#include "sanitizers/thread/triage_documents.hpp"
#include "stacks/symbolise.hpp"

namespace racelab::tsan {
namespace {

using json = nlohmann::ordered_json;

constexpr std::string_view root_name = "%SRCROOT%";

// RFC 3986: what may stand in a path as it is.
std::string percent_encoded(std::string_view path) {
  std::string result;
  for (const char c : path) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 ||
        std::string_view("-._~/!$&'()*+,;=@").find(c) != std::string_view::npos) {
      result += c;
    } else {
      result += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return result;
}

json artifact(std::string_view file, std::string_view source_root) {
  const std::string path = std::filesystem::path(file).lexically_normal().generic_string();
  std::string_view below = path;
  if (!source_root.empty() && below.starts_with(source_root) &&
      below.substr(source_root.size()).starts_with('/')) {
    below.remove_prefix(source_root.size() + 1);
  }
  if (!below.starts_with('/')) return {{"uri", percent_encoded(below)}, {"uriBaseId", root_name}};
  return {{"uri", "file://" + percent_encoded(below)}};
}

json place_of(std::string_view file, std::size_t line, std::size_t column, std::string_view source_root) {
  json result{{"artifactLocation", artifact(file, source_root)}};
  if (line != 0) {
    result["region"] = {{"startLine", line}};
    if (column != 0) result["region"]["startColumn"] = column;
  }
  return result;
}

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
          {{"physicalLocation", place_of(each.at.log, each.at.line, 0, source_root_)}}};
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
    if (!of.file.empty()) result["physicalLocation"] = place_of(of.file, of.line, of.column, source_root_);
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
  while (source_root.ends_with('/')) source_root.remove_suffix(1);
  writer made(result, source_root);
  json results = made.results();
  json run{
      {"tool",
       {{"driver", {{"name", "racelab triage"}, {"semanticVersion", version}, {"rules", made.rules()}}}}},
      {"invocations",
       {{{"executionSuccessful", true}, {"toolExecutionNotifications", made.notifications()}}}},
      {"columnKind", "utf16CodeUnits"},
      {"results", std::move(results)}};
  if (!source_root.empty()) {
    run["originalUriBaseIds"] = {
        {std::string(root_name), {{"uri", "file://" + percent_encoded(source_root) + "/"}}}};
  }
  json runs = json::array();
  runs.push_back(std::move(run));
  const json document{{"$schema", "https://json.schemastore.org/sarif-2.1.0.json"},
                      {"version", "2.1.0"},
                      {"runs", std::move(runs)}};
  return document.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace racelab::tsan
