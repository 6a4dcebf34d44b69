#include "lab/score_run.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>
#include <system_error>
#include <utility>

#include "lab/files.hpp"
#include "lab/perturbation.hpp"
#include "lab/trials.hpp"
#include "sanitizers/thread/log_parser.hpp"
#include "sanitizers/thread/options.hpp"

namespace racelab::lab {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::milliseconds usual_timeout{20'000};
constexpr int report_exit_code = 66;

constexpr std::array<std::pair<detector, std::string_view>, 7> detector_names{{
    {detector::tsan_clang, "tsan"},
    {detector::tsan_gcc, "tsan-gcc"},
    {detector::helgrind, "helgrind"},
    {detector::drd, "drd"},
    {detector::write_flag, "write-flag"},
    {detector::watchpoint, "watchpoint"},
    {detector::judge, "judge"},
}};

/// The file that a detector needs of a program; empty if that was not built.
const fs::path& needed_of(const corpus_program& program, detector which) {
  switch (which) {
    case detector::tsan_clang:
    case detector::judge:
      return program.tsan;
    case detector::tsan_gcc:
      return program.gcc;
    case detector::helgrind:
    case detector::drd:
      return program.plain;
    case detector::write_flag:
      return program.flag;
    case detector::watchpoint:
      break;
  }
  return program.watch;
}

std::string why_left_out(detector which, const std::vector<corpus_program>& programs,
                         const score_settings& settings) {
  if ((which == detector::helgrind || which == detector::drd) && found_in_path("valgrind").empty())
    return "valgrind is not installed";
  if (which == detector::judge && !can_run(settings.judge)) return "the racelab command was not found";
  if (std::ranges::none_of(programs,
                           [&](const corpus_program& each) { return can_run(needed_of(each, which)); }))
    return "its programs are not built (target `corpus_programs`)";
  return "";
}

/// Those on the program: what befell the runtime itself is none.
std::vector<tsan::report> reports_on_program(std::string_view log) {
  std::vector<tsan::report> found = tsan::reports_in(log);
  std::erase_if(found, [](const tsan::report& each) {
    return tsan::is_runtime_failure(each.kind) || each.kind == tsan::report_kind::deadly_signal;
  });
  return found;
}

trial_request tsan_request(const fs::path& program, tsan::runtime runtime) {
  trial_request request;
  request.program = program;
  request.environment = {"TSAN_OPTIONS=" + tsan::options_text(runtime, "", "", {})};
  return request;
}

trial_request valgrind_request(const fs::path& program, detector tool) {
  trial_request request;
  request.program = found_in_path("valgrind");
  request.arguments = {fmt::format("--tool={}", name(tool)),
                       fmt::format("--error-exitcode={}", report_exit_code), "--fair-sched=yes", "-q",
                       program.string()};
  return request;
}

/// One detector over all programs.
class detector_run {
 public:
  detector_run(const std::vector<corpus_program>& programs, const score_settings& settings,
               const temporary_folder& folder, detector_score& score)
      : programs_(programs), settings_(settings), folder_(folder), score_(score) {
    for (std::size_t i = 0; i < programs.size(); ++i)
      if (can_run(needed_of(programs[i], score.which))) score_.cases.emplace_back().program = i;
    launched_.resize(score_.cases.size());
  }

  /// Returns the signal that stopped it, or 0. Programs whose runs were cut short then are taken out.
  int run(const std::function<void(const std::string&)>& tell) {
    trial_callbacks callbacks;
    callbacks.next = [this] { return next(); };
    callbacks.done = [this](std::size_t number, const trial_result& result) { learn(number, result); };
    callbacks.tick = [&] {
      if (at_ < score_.cases.size())
        tell(fmt::format("{}: {} ({} of {})", name(score_.which), program_of(at_).name, at_ + 1,
                         score_.cases.size()));
    };
    const int stopped_by = run_trials(settings_.jobs, callbacks);
    if (stopped_by != 0)
      std::erase_if(score_.cases, [&](const score_case& each) { return wants_more(each, each.runs); });
    return stopped_by;
  }

 private:
  const corpus_program& program_of(std::size_t index) const { return programs_[score_.cases[index].program]; }

  fs::path log_of(std::size_t number) const { return folder_ / fmt::format("{}", number); }

  /// Judge repeats by itself. The others are run again until something is reported; ThreadSanitizer as often as was asked for, as
  /// one of the criteria is how often a report comes.
  [[nodiscard]] bool wants_more(const score_case& so_far, unsigned launched) const {
    if (score_.which == detector::judge) return launched == 0;
    if (launched >= settings_.runs) return false;
    return score_.which == detector::tsan_clang || score_.which == detector::tsan_gcc || !so_far.reported();
  }

  std::optional<trial_request> next() {
    while (at_ < score_.cases.size() && !wants_more(score_.cases[at_], launched_[at_])) ++at_;
    if (at_ == score_.cases.size()) return std::nullopt;
    trial_request request = request_for(program_of(at_), launched_[at_]++, log_of(case_of_.size()));
    case_of_.push_back(at_);
    return request;
  }

  [[nodiscard]] trial_request request_for(const corpus_program& program, unsigned run,
                                          const fs::path& log) const {
    const std::uint64_t seed = trial_seed(settings_.seed, program.name, "", run);
    trial_request request;
    request.timeout = usual_timeout;
    switch (score_.which) {
      case detector::tsan_clang:
        request = tsan_request(program.tsan, tsan::runtime::llvm);
        break;
      case detector::tsan_gcc:
        request = tsan_request(program.gcc, tsan::runtime::gcc);
        break;
      case detector::helgrind:
      case detector::drd:
        request = valgrind_request(program.plain, score_.which);
        break;
      case detector::write_flag:
        request.program = program.flag;
        break;
      case detector::watchpoint:
        request.program = program.watch;
        request.environment = {fmt::format("RACELAB_SEED={}", seed), "RACELAB_WATCH_LOG=" + log.string()};
        break;
      case detector::judge:
        request.program = settings_.judge;
        request.arguments = {"judge",
                             "--json",
                             log.string(),
                             "--budget",
                             fmt::format("{}", settings_.budget_seconds),
                             "--seed",
                             fmt::format("{}", seed),
                             "--watch",
                             program.watch.string(),
                             "--",
                             program.tsan.string()};
        break;
    }
    request.memory_limit = 0;  // shadow memory takes more address space than any limit would leave
    request.timeout = usual_timeout;
    if (score_.which == detector::judge)  // its budget is not cut in the middle of a run
      request.timeout +=
          std::chrono::milliseconds(static_cast<std::int64_t>(settings_.budget_seconds * 2000));
    return request;
  }

  void learn(std::size_t number, const trial_result& result) {
    score_case& of = score_.cases[case_of_[number]];
    if (!of.reported()) of.seconds += result.milliseconds / 1000;
    ++of.runs;
    const fs::path log = log_of(number);
    const std::string written = fs::exists(log) ? content_of(log) : "";
    std::error_code ignored;
    fs::remove(log, ignored);
    bool reported = false;
    switch (score_.which) {
      case detector::tsan_clang:
      case detector::tsan_gcc: {
        std::vector<tsan::report> found = reports_on_program(result.standard_error);
        reported = !found.empty();
        std::ranges::move(found, std::back_inserter(of.reports));
        break;
      }
      case detector::helgrind:
      case detector::drd:
        reported = result.exit_code == report_exit_code;
        break;
      case detector::write_flag:
        reported = result.what == outcome::fatal;
        break;
      case detector::watchpoint:
        // A value that changed is no proof: a lock's word does, by assembly.
        reported = written.find(R"("kind":"pair")") != std::string::npos;
        break;
      case detector::judge:
        take_judgement(of, result, written);
        reported = of.verdict == "confirmed";
        break;
    }
    of.reported_in += reported ? 1U : 0U;
    if (result.what != outcome::intact && result.what != outcome::report && !reported) ++of.not_intact;
  }

  // A report is there once something is caught; then the judge goes on, to say what it does.
  static void take_judgement(score_case& of, const trial_result& result, const std::string& written) {
    const auto document = nlohmann::json::parse(written, nullptr, false);
    if ((result.exit_code != 0 && result.exit_code != 1) || !document.is_object()) {
      of.verdict = "failed";
      return;
    }
    of.verdict = document.value("verdict", "failed");
    for (const nlohmann::json& each : document.value("reports", nlohmann::json::array()))
      if (each.value("verdict", "") == "confirmed" && each.at("caught_after").is_number())
        of.seconds = std::min(of.seconds, each.at("caught_after").get<double>());
  }

  const std::vector<corpus_program>& programs_;
  const score_settings& settings_;
  const temporary_folder& folder_;
  detector_score& score_;
  std::size_t at_ = 0;                // the case that is launched next
  std::vector<unsigned> launched_;    // runs of each case
  std::vector<std::size_t> case_of_;  // of each trial
};

// The accesses of the data races among a program's reports.
std::vector<std::pair<const tsan::access*, const tsan::access*>> pairs_of(const score_case& of) {
  std::vector<std::pair<const tsan::access*, const tsan::access*>> pairs;
  for (const tsan::report& each : of.reports)
    if (each.accesses.size() == 2) pairs.emplace_back(&each.accesses.front(), &each.accesses.back());
  return pairs;
}

bool same_field(const score_case& of) {
  return std::ranges::any_of(pairs_of(of), [](const auto& pair) {
    return pair.first->address == pair.second->address && pair.first->size == pair.second->size;
  });
}

bool no_indirect_synchronisation(const score_case& of) {
  const auto bare = [](const tsan::access& each) { return !each.atomic && each.mutexes.empty(); };
  return std::ranges::any_of(pairs_of(of),
                             [&](const auto& pair) { return bare(*pair.first) && bare(*pair.second); });
}

bool reproducible(const score_case& of) { return of.runs != 0 && of.reported_in == of.runs; }

bool all_three(const score_case& of) {
  return same_field(of) && no_indirect_synchronisation(of) && reproducible(of);
}

std::optional<double> share(unsigned part, unsigned of) {
  if (of == 0) return std::nullopt;
  return static_cast<double>(part) / of;
}

}  // namespace

std::string_view name(detector which) noexcept {
  return std::ranges::find(detector_names, which, &std::pair<detector, std::string_view>::first)->second;
}

std::optional<detector> detector_named(std::string_view name) noexcept {
  const auto* const found =
      std::ranges::find(detector_names, name, &std::pair<detector, std::string_view>::second);
  if (found == detector_names.end()) return std::nullopt;
  return found->first;
}

const std::vector<detector>& all_detectors() {
  static const std::vector<detector> all = [] {
    std::vector<detector> made;
    for (const auto& [which, text] : detector_names) made.push_back(which);
    return made;
  }();
  return all;
}

void confusion::count(bool reported, bool is_true) noexcept {
  if (is_true)
    ++(reported ? true_positives : false_negatives);
  else
    ++(reported ? false_positives : true_negatives);
}

std::optional<double> confusion::precision() const {
  return share(true_positives, true_positives + false_positives);
}

std::optional<double> confusion::recall() const {
  return share(true_positives, true_positives + false_negatives);
}

confusion confusion_of(const detector_score& score, const std::vector<corpus_program>& programs) {
  confusion counts;
  for (const score_case& each : score.cases) counts.count(each.reported(), is_faulty(programs[each.program]));
  return counts;
}

judge_agreement agreement_of(const detector_score& score, const std::vector<corpus_program>& programs) {
  judge_agreement counts;
  for (const score_case& each : score.cases) {
    const corpus_program& program = programs[each.program];
    const bool said_false = each.verdict == "likely-false";
    const bool can_be_shown = program.shown || program.what == truth::deadlock;
    const bool by_order = program.what == truth::race && !program.shown;
    const bool false_report = !is_faulty(program) && each.verdict != "no-report";
    counts.can_be_shown += can_be_shown ? 1U : 0U;
    counts.confirmed += can_be_shown && each.verdict == "confirmed" ? 1U : 0U;
    counts.said_false += said_false ? 1U : 0U;
    counts.rightly += said_false && !is_faulty(program) ? 1U : 0U;
    counts.false_reports += false_report ? 1U : 0U;
    counts.said_of_them += false_report && said_false ? 1U : 0U;
    counts.ordering_only += by_order ? 1U : 0U;
    counts.called_so += by_order && each.verdict == "ordering-only" ? 1U : 0U;
  }
  return counts;
}

const std::vector<criterion>& seed_criteria() {
  static const std::vector<criterion> all{
      {"same field", "true if both accesses are to the same bytes, no more and no less", same_field},
      {"no indirect synchronisation", "true if neither access is atomic or made with a mutex held",
       no_indirect_synchronisation},
      {"reproducible", "true if it is reported in every run", reproducible},
      {"all three", "true if all of these say so", all_three},
  };
  return all;
}

confusion confusion_of(const criterion& rule, const detector_score& tsan,
                       const std::vector<corpus_program>& programs) {
  confusion counts;
  for (const score_case& each : tsan.cases)
    if (each.reported()) counts.count(rule.says_true(each), is_faulty(programs[each.program]));
  return counts;
}

score_run run_score(const std::vector<corpus_program>& programs, const score_settings& settings,
                    const std::function<void(const std::string&)>& tell) {
  const temporary_folder folder;
  score_run all;
  for (const detector which : settings.detectors) {
    detector_score& score = all.detectors.emplace_back();
    score.which = which;
    score.left_out = why_left_out(which, programs, settings);
    if (!score.left_out.empty() || all.stopped_by != 0) continue;
    all.stopped_by = detector_run(programs, settings, folder, score).run(tell);
  }
  return all;
}

}  // namespace racelab::lab
