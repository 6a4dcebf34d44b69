#include "lab/document.hpp"
#include "lab/score_report.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>
#include <system_error>

#include "lab/unique_fd.hpp"

namespace racelab::lab {
namespace {

using json = nlohmann::ordered_json;

template <typename T> json or_null(const std::optional<T>& value) {
  return value ? json(*value) : json(nullptr);
}

std::string text_of(const json& document) {
  // A program's output may be anything; what is no UTF-8 in it becomes U+FFFD.
  return document.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

json row_json(const crash_row& row) {
  const interval bounds = row.rate_interval();
  json outcomes = json::object();
  for (const outcome what :
       {outcome::intact, outcome::corrupt, outcome::crash, outcome::fatal, outcome::hang}) {
    outcomes[std::string(name(what))] = row.count(what);
  }
  json result{
      {"scenario", row.scenario},          {"map", row.program.map},
      {"perturb", name(row.perturb)},      {"trials", row.trials},
      {"outcomes", std::move(outcomes)},   {"rate", row.rate()},
      {"ci95", {bounds.low, bounds.high}}, {"median_ms_to_failure", or_null(row.median_milliseconds())},
      {"no_protocol", row.strange()},      {"baseline", row.baseline},
      {"failing_trial", nullptr},
  };
  if (row.kept) {
    result["failing_trial"] = {{"outcome", name(row.kept->what)},
                               {"seed", or_null(row.kept->seed)},
                               {"output", row.kept->output},
                               {"has_trace", row.kept->has_trace}};
  }
  return result;
}

json core_json(const kept_core& one) {
  const bool there = !one.core.empty();
  return {{"name", one.name},
          {"program", one.program.string()},
          {"core", there ? json(one.core.string()) : json()},
          {"outcome", there ? json(name(one.what)) : json()},
          {"seed", or_null(one.seed)},
          {"made_by", there ? json(one.made_by) : json()},
          {"why_none", there ? json() : json(one.why_none)}};
}

json machine_json(const machine& where) {
  return {{"processor", where.processor},
          {"processors", where.processors},
          {"memory_bytes", where.memory},
          {"system", where.system},
          {"kernel", where.kernel}};
}

json tsan_row_json(const tsan_row& row) {
  return {{"program", row.program.tsan.string()},
          {"scenario", row.scenario},
          {"map", row.program.map},
          {"kind", name(row.kind)},
          {"expected", row.expects_report ? "report" : "clean"},
          {"reports", row.reports},
          {"trials", row.trials},
          {"seen", row.seen},
          {"ok", row.ok()},
          {"race", row.race},
          {"trials_with_reports", row.with_reports},
          {"followed", row.followed},
          {"unexpected", row.unexpected},
          {"strange", row.strange},
          {"stall",
           {{"trials", row.stall_trials},
            {"intact", row.intact},
            {"pairs", row.pairs_caught},
            {"broken", row.broken}}}};
}

[[noreturn]] void fail(const std::filesystem::path& file) {
  throw std::system_error(errno, std::generic_category(), file.string());
}

void write_all(int fd, std::string_view text, const std::filesystem::path& file) {
  while (!text.empty()) {
    const ssize_t size = write(fd, text.data(), text.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) fail(file);
    text.remove_prefix(static_cast<std::size_t>(size));
  }
}

/// Where a file's content really stands: a link is followed, so that it stays one.
std::filesystem::path target_of(const std::filesystem::path& file) {
  std::error_code error;
  const std::filesystem::path target = std::filesystem::canonical(file, error);
  return error ? file : target;
}

bool is_special(const std::filesystem::path& file) {
  struct stat found{};
  return stat(file.c_str(), &found) == 0 && !S_ISREG(found.st_mode);
}

json confusion_json(std::string_view key, std::string_view name, const confusion& of) {
  const auto or_null = [](std::optional<double> value) { return value ? json(*value) : json(nullptr); };
  return {{key, name},
          {"true_positives", of.true_positives},
          {"false_positives", of.false_positives},
          {"true_negatives", of.true_negatives},
          {"false_negatives", of.false_negatives},
          {"precision", or_null(of.precision())},
          {"recall", or_null(of.recall())}};
}

json detector_json(const detector_score& score, const std::vector<corpus_program>& programs) {
  json cases = json::array();
  for (const score_case& each : score.cases) {
    const corpus_program& program = programs[each.program];
    cases.push_back({{"program", program.name},
                     {"truth", name(program.what)},
                     {"reported", each.reported()},
                     {"reported_in", each.reported_in},
                     {"runs", each.runs},
                     {"seconds", each.seconds},
                     {"verdict", each.verdict.empty() ? json(nullptr) : json(each.verdict)}});
  }
  json result = confusion_json("detector", name(score.which), confusion_of(score, programs));
  const std::optional<double> seconds = median_seconds(score);
  result["left_out"] = score.left_out.empty() ? json(nullptr) : json(score.left_out);
  result["programs"] = score.cases.size();
  result["median_seconds"] = seconds ? json(*seconds) : json(nullptr);
  result["cases"] = std::move(cases);
  return result;
}

}  // namespace

std::string score_document(const score_run& run, const std::vector<corpus_program>& programs,
                           const score_settings& settings, const machine& where) {
  json detectors = json::array();
  json criteria = json::array();
  json judge = nullptr;
  for (const detector_score& score : run.detectors) {
    detectors.push_back(detector_json(score, programs));
    if (score.which == detector::tsan_clang && !score.cases.empty())
      for (const criterion& each : seed_criteria())
        criteria.push_back(confusion_json("criterion", each.name, confusion_of(each, score, programs)));
    if (score.which == detector::judge && !score.cases.empty()) {
      const judge_agreement of = agreement_of(score, programs);
      judge = {{"can_be_shown", of.can_be_shown},     {"confirmed", of.confirmed},
               {"said_likely_false", of.said_false},  {"rightly", of.rightly},
               {"false_reports", of.false_reports},   {"likely_false_of_them", of.said_of_them},
               {"by_memory_order", of.ordering_only}, {"called_ordering_only", of.called_so}};
    }
  }
  return text_of({{"version", 1},
                  {"machine", machine_json(where)},
                  {"runs", settings.runs},
                  {"budget_seconds", settings.budget_seconds},
                  {"seed", settings.seed},
                  {"interrupted", run.stopped_by != 0},
                  {"detectors", std::move(detectors)},
                  {"criteria", std::move(criteria)},
                  {"judge", std::move(judge)}});
}

std::string list_document(const std::vector<scenario>& scenarios) {
  json list = json::array();
  for (const scenario& one : scenarios) {
    json maps = json::array();
    for (const scenario_program& program : one.programs) maps.push_back(program.map);
    json remedies = json::array();
    for (const scenario_program& program : one.fixed) remedies.push_back(program.map);
    list.push_back({{"name", one.name},
                    {"maps", std::move(maps)},
                    {"story", one.story},
                    {"source", one.source},
                    {"race", one.race},
                    {"expect", one.expect},
                    {"fixes", one.fixes},
                    {"not", one.not_fixes},
                    {"remedies", std::move(remedies)},
                    {"timeout_ms", one.timeout ? json(one.timeout->count()) : json(nullptr)}});
  }
  return text_of({{"version", 1}, {"scenarios", std::move(list)}});
}

std::string corpus_document(const std::vector<corpus_program>& programs) {
  json list = json::array();
  for (const corpus_program& one : programs)
    list.push_back({{"name", one.name},
                    {"story", one.story},
                    {"source", one.source},
                    {"race", one.race},
                    {"truth", name(one.what)},
                    {"harm", one.harm.empty() ? json(nullptr) : json(one.harm)},
                    {"reason", one.reason},
                    {"cause", one.cause.empty() ? json(nullptr) : json(one.cause)},
                    {"expect", one.expect},
                    {"shown", one.shown}});
  return text_of({{"version", 1}, {"corpus", std::move(list)}});
}

std::string crash_document(const crash_run& run, const std::vector<kept_core>& cores,
                           const crash_settings& settings, const machine& where,
                           const std::vector<std::string>& broken) {
  json rows = json::array();
  for (const crash_row& row : run.rows) {
    if (row.trials != 0) rows.push_back(row_json(row));
  }
  json core_list = json::array();
  for (const kept_core& each : cores) core_list.push_back(core_json(each));
  return text_of({{"version", 1},
                  {"machine", machine_json(where)},
                  {"seed", settings.seed},
                  {"trial_seed", or_null(settings.one_seed)},
                  {"perturb", name(settings.perturb)},
                  {"jobs", settings.jobs},
                  {"interrupted", run.stopped_by != 0},
                  {"broken_expectations", broken},
                  {"cores", std::move(core_list)},
                  {"rows", std::move(rows)}});
}

std::string tsan_document(const tsan_run& run, const tsan_settings& settings, const catalogue& all,
                          const machine& where, const std::vector<std::string>& wrong) {
  json rows = json::array();
  for (const tsan_row& row : run.rows) rows.push_back(tsan_row_json(row));
  json missing = json::array();
  for (const remedy& each : all.fixes)
    if (!each.built) missing.push_back(each.name);
  return text_of(
      {{"version", 1},
       {"machine", machine_json(where)},
       {"runtime", all.runtime},
       {"runtime_version", all.runtime_version},
       {"seed", settings.seed},
       {"jobs", settings.jobs},
       {"options", tsan::options_text(tsan::runtime_named(all.runtime).value(), "", "", settings.options)},
       {"skipped_remedies", std::move(missing)},
       {"unused_suppressions", run.unused_suppressions},
       {"interrupted", run.stopped_by != 0},
       {"surprises", wrong},
       {"rows", std::move(rows)}});
}

void write_document(const std::filesystem::path& file, std::string_view text) {
  if (is_special(file)) {
    const unique_fd special(open(file.c_str(), O_WRONLY | O_CLOEXEC));
    if (special.get() < 0) fail(file);
    write_all(special.get(), text, file);
    return;
  }
  const std::filesystem::path target = target_of(file);
  const std::filesystem::path fresh = fmt::format("{}.{}.tmp", target.string(), getpid());
  const unique_fd written(open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (written.get() < 0) fail(file);
  try {
    write_all(written.get(), text, file);
    // Some file systems only say now that they are full.
    if (fsync(written.get()) != 0 || rename(fresh.c_str(), target.c_str()) != 0) fail(file);
  } catch (...) {
    unlink(fresh.c_str());
    throw;
  }
}

void check_writable(const std::filesystem::path& file) {
  const std::filesystem::path folder = std::filesystem::absolute(target_of(file)).parent_path();
  struct stat found{};
  if (stat(file.c_str(), &found) == 0 && S_ISDIR(found.st_mode)) {
    errno = EISDIR;
    fail(file);
  }
  if (access((is_special(file) ? file : folder).c_str(), W_OK) != 0) fail(file);
}

}  // namespace racelab::lab
