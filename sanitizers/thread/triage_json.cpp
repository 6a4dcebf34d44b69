#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "sanitizers/thread/sites.hpp"
#include "sanitizers/thread/triage_documents.hpp"

namespace racelab::tsan {
namespace {

using json = nlohmann::ordered_json;

json or_null(const std::string& text) { return text.empty() ? json(nullptr) : json(text); }

template <typename Number> json or_null(Number number) { return number == 0 ? json(nullptr) : json(number); }

template <typename T> json or_null(const std::optional<T>& value) {
  return value ? json(*value) : json(nullptr);
}

// A string, for JSON's numbers do not hold 64 bits everywhere.
json hex(std::uint64_t number) { return number == 0 ? json(nullptr) : json(fmt::format("{:#x}", number)); }

json frame_json(const frame& of) {
  return {{"function", or_null(of.function)}, {"file", or_null(of.file)},     {"line", or_null(of.line)},
          {"column", or_null(of.column)},     {"module", or_null(of.module)}, {"offset", hex(of.offset)},
          {"build_id", or_null(of.build_id)}};
}

// What is nobody's stack is null, a stack that the runtime had forgotten is empty.
json stack_json(const stack& of) {
  if (of.restored && of.frames.empty()) return nullptr;
  json frames = json::array();
  for (const frame& each : of.frames) frames.push_back(frame_json(each));
  return frames;
}

json access_json(const access& of) {
  json mutexes = json::array();
  for (const held_mutex& each : of.mutexes) mutexes.push_back({{"id", each.id}, {"write", each.write}});
  return {{"write", of.write},
          {"atomic", of.atomic},
          {"previous", of.previous},
          {"size", or_null(of.size)},
          {"address", hex(of.address)},
          {"object", or_null(of.object)},
          {"thread", or_null(of.thread)},
          {"mutexes", std::move(mutexes)},
          {"stack", stack_json(of.where)}};
}

json location_json(const location& of) {
  return {{"kind", name(of.kind)},
          {"name", or_null(of.name)},
          {"address", hex(of.address)},
          {"size", or_null(of.size)},
          {"offset", or_null(of.offset)},
          {"module", or_null(of.module)},
          {"module_offset", hex(of.module_offset)},
          {"descriptor", or_null(of.descriptor)},
          {"closed", of.closed},
          {"thread", or_null(of.thread)},
          {"stack", stack_json(of.where)}};
}

json thread_json(const thread& of) {
  return {{"number", of.number},
          {"name", or_null(of.name)},
          {"os_id", or_null(of.os_id)},
          {"state", or_null(of.state)},
          {"worker", of.worker},
          {"created_by", or_null(of.created_by)},
          {"stack", stack_json(of.created)}};
}

json sites_json(const report& of) {
  json sites = json::array();
  for (const party& each : parties(of)) {
    json site{{"what", or_null(each.what)}, {"function", nullptr}, {"file", nullptr}, {"line", nullptr}};
    if (!each.where->frames.empty()) {
      const frame& shown = each.where->frames[user_frame(*each.where)];
      site["function"] = or_null(shown.function);
      site["file"] = or_null(shown.file);
      site["line"] = or_null(shown.line);
    }
    sites.push_back(std::move(site));
  }
  return sites;
}

json report_json(const report& of) {
  json result{{"runtime", of.go ? "go" : "sanitizer"},
              {"process", or_null(of.process)},
              {"prefix", or_null(of.prefix)},
              {"first_line", of.first_line},
              {"last_line", of.last_line},
              {"complete", of.complete},
              {"summary", or_null(of.summary)},
              {"accesses", json::array()},
              {"location", of.accessed ? location_json(*of.accessed) : json(nullptr)},
              {"mutexes", json::array()},
              {"threads", json::array()},
              {"stacks", json::array()},
              {"cycle", of.cycle},
              {"acquisitions", json::array()},
              {"sleep", of.sleep ? stack_json(*of.sleep) : json(nullptr)},
              {"signal", nullptr},
              {"more_leaks", of.more_leaks}};
  for (const access& each : of.accesses) result["accesses"].push_back(access_json(each));
  for (const mutex& each : of.mutexes) {
    result["mutexes"].push_back({{"id", each.id},
                                 {"address", hex(each.address)},
                                 {"destroyed", each.destroyed},
                                 {"stack", stack_json(each.created)}});
  }
  for (const thread& each : of.threads) result["threads"].push_back(thread_json(each));
  for (const noted_stack& each : of.stacks) {
    result["stacks"].push_back({{"note", or_null(each.note)}, {"stack", stack_json(each.where)}});
  }
  for (const acquisition& each : of.acquisitions) {
    result["acquisitions"].push_back({{"mutex", each.mutex},
                                      {"held", each.held},
                                      {"thread", or_null(each.thread)},
                                      {"stack", stack_json(each.where)},
                                      {"held_since", stack_json(each.held_since)}});
  }
  if (of.caught) {
    result["signal"] = {{"name", or_null(of.caught->signal)},
                        {"address", fmt::format("{:#x}", of.caught->address)},
                        {"write", or_null(of.caught->write)}};
  }
  return result;
}

}  // namespace

std::string json_document(const triage_result& result) {
  json logs = json::array();
  for (const log_size& each : result.logs) {
    logs.push_back(
        {{"log", each.name}, {"lines", each.lines}, {"bytes", each.bytes}, {"reports", each.reports}});
  }
  json findings = json::array();
  for (const finding& each : result.findings) {
    json seen = json::array();
    for (const place& at : each.seen) seen.push_back({{"log", at.log}, {"line", at.line}});
    findings.push_back({{"id", each.fingerprint},
                        {"kind", describe(each.first.kind).name},
                        {"title", each.first.title},
                        {"runtime_failure", is_runtime_failure(each.first.kind)},
                        {"signature", each.signature},
                        {"count", each.count},
                        {"seen", std::move(seen)},
                        {"sites", sites_json(each.first)},
                        {"report", report_json(each.first)}});
  }
  json complaints = json::array();
  for (const place_complaint& each : result.complaints) {
    complaints.push_back({{"log", each.at.log}, {"line", each.at.line}, {"text", each.text}});
  }
  const json document{{"version", 1},
                      {"logs", std::move(logs)},
                      {"reports", result.reports()},
                      {"findings", std::move(findings)},
                      {"unread", std::move(complaints)},
                      {"more_unread", result.more_complaints}};
  // A log may hold anything; what is no UTF-8 in it becomes U+FFFD.
  return document.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace racelab::tsan
