#include "lab/tsan_run.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <set>
#include <utility>

#include "lab/files.hpp"
#include "lab/perturbation.hpp"
#include "lab/statistics.hpp"
#include "lab/trials.hpp"
#include "sanitizers/thread/records.hpp"
#include "stacks/symbolise.hpp"

namespace racelab::lab {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::milliseconds usual_timeout{20'000};
// A racy map that still runs after so long hangs: the others take a third of it at most.
constexpr std::chrono::milliseconds racy_timeout{500};
// ThreadSanitizer makes a program some ten times slower: so much longer may one take that must end.
constexpr int slower = 10;

/// A file that a program may have written; empty if it has not.
std::string written_to(const fs::path& file) { return fs::exists(file) ? content_of(file) : ""; }

std::size_t count_lines_that_start_with(std::string_view prefix, std::string_view text) {
  std::size_t found = 0;
  while (!text.empty()) {
    if (text.starts_with(prefix)) ++found;
    const std::size_t end = text.find('\n');
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return found;
}

/// What is to be thought of a report.
struct classification {
  enum class kind {
    named,        // of a pair that the scenario names
    followed,     // what such a race leads to
    broken_heap,  // what such a race leads to if there was one before, otherwise unexpected
    unexpected
  };
  kind what = kind::unexpected;
  std::string text;  // of one that is or may be unexpected, in one line, the same whichever side came first
};

/// Reads the reports of one program. Every run has it at another address, so functions are kept by their place in the
/// file; and the same report comes again and again, so what was thought of it is kept, too.
class report_reader {
 public:
  explicit report_reader(const tsan_row& row)
      : pairs_(row.pairs), names_(std::vector<stacks::loaded_module>{{row.program.tsan, file_start}}) {}

  const classification& classify(const tsan::recorded_report& report) {
    std::vector<std::uintptr_t> key{std::hash<std::string>{}(report.kind)};
    for (const tsan::recorded_access& access : report.accesses) {
      key.push_back((access.write ? 2U : 0U) + (access.atomic ? 1U : 0U));
      key.push_back(access.thread == report.accesses.front().thread ? 1U : 0U);
      for (const std::uintptr_t pc : access.stack) key.push_back(pc - report.base);
    }
    const auto [at, fresh] = known_reports_.try_emplace(std::move(key));
    if (fresh) at->second = classified(report);
    return at->second;
  }

 private:
  struct names {
    std::set<std::string> bare;  // of all frames
    std::string user;  // the innermost one that is neither the library's nor the runtime's, in short
  };
  static constexpr std::uintptr_t file_start = 0x10000000;

  classification classified(const tsan::recorded_report& report) {
    auto what = classification::kind::unexpected;
    std::vector<names> stacks;
    for (const tsan::recorded_access& access : report.accesses)
      stacks.push_back(names_of(access.stack, report.base));
    const bool is_race =
        (report.kind == "data-race" || report.kind == "heap-use-after-free") && stacks.size() == 2;
    if (is_race) {
      const tsan::seen_side a{.functions = stacks[0].bare, .writes = report.accesses[0].write};
      const tsan::seen_side b{.functions = stacks[1].bare, .writes = report.accesses[1].write};
      const auto any_pair = [&](auto test) { return std::ranges::any_of(pairs_, test); };
      if (any_pair([&](const auto& pair) { return tsan::is_of_pair(pair, a, b, false); }))
        return {.what = classification::kind::named, .text = ""};
      const bool freed = report.kind == "heap-use-after-free" || tsan::are_two_reads(a, b);
      // A thread with itself is no race: a broken chain that leads it to what it has freed.
      if (freed && report.accesses[0].thread == report.accesses[1].thread)
        return {.what = classification::kind::followed, .text = ""};
      if (any_pair([&](const auto& pair) {
            return tsan::follows_from_pair(pair, a, b) || (freed && tsan::outlives_pair(pair, a, b));
          }))
        return {.what = classification::kind::followed, .text = ""};
      if (!pairs_.empty() && tsan::is_outside_of_maps(a, b)) what = classification::kind::broken_heap;
    }
    std::multiset<std::string> sides;
    for (std::size_t i = 0; i < stacks.size(); ++i) {
      const tsan::recorded_access& access = report.accesses[i];
      sides.insert(fmt::format("{}{} by {}", access.atomic ? "atomic " : "", access.write ? "write" : "read",
                               stacks[i].user.empty() ? "unknown code" : stacks[i].user));
    }
    return {.what = what,
            .text = fmt::format("{}{}{}", report.kind, sides.empty() ? "" : ": ", fmt::join(sides, ", "))};
  }

  names names_of(const std::vector<std::uintptr_t>& pcs, std::uintptr_t base) {
    names all;
    for (const std::uintptr_t pc : pcs) {
      const names& at = names_at(pc - base);
      all.bare.insert(at.bare.begin(), at.bare.end());
      if (all.user.empty()) all.user = at.user;
    }
    return all;
  }

  const names& names_at(std::uintptr_t offset) {
    const auto [at, fresh] = known_names_.try_emplace(offset);
    if (!fresh) return at->second;
    const std::uintptr_t pc = file_start + offset;
    for (const stacks::frame& each : names_.resolve(std::span(&pc, 1), false)) {
      if (each.function.empty()) continue;
      at->second.bare.insert(tsan::bare_name(each.function));
      if (at->second.user.empty() && !stacks::is_spawning_frame(each))
        at->second.user = stacks::short_name(each.function);
    }
    return at->second;
  }

  std::vector<tsan::racing_pair> pairs_;
  stacks::symboliser names_;
  std::map<std::uintptr_t, names> known_names_;
  std::map<std::vector<std::uintptr_t>, classification> known_reports_;
};

/// How a run ended, in the words of the outcome protocol.
std::string ending_of(const trial_result& result) {
  if (result.what == outcome::hang) return "hang";
  if (result.signal != 0) return fmt::format("signal {}", result.signal);
  return fmt::format("exit {}", result.exit_code);
}

/// One trial under ThreadSanitizer: where its two witnesses write.
struct witness_files {
  fs::path log;  // the runtime adds .PID
  fs::path records;

  /// The log's text, whatever process of the program wrote it.
  [[nodiscard]] std::string text() const {
    std::string all;
    for (const fs::path& file : logs_of_processes(log)) all += written_to(file);
    return all;
  }

  void remove() const {
    std::error_code ignored;
    for (const fs::path& file : logs_of_processes(log)) fs::remove(file, ignored);
    fs::remove(records, ignored);
  }
};

class run_of_trials {
 public:
  run_of_trials(std::vector<tsan_row> rows, tsan::runtime runtime, const tsan_settings& settings,
                const tsan_tick& tick)
      : runtime_(runtime), settings_(settings), tick_(tick) {
    run_.rows = std::move(rows);
  }

  tsan_run run() {
    std::vector<std::size_t> all(run_.rows.size());
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
    std::vector<std::size_t> remedies;
    std::ranges::copy_if(all, std::back_inserter(remedies),
                         [&](std::size_t row) { return run_.rows[row].kind == tsan_kind::fix; });
    batch(all, settings_.trials, settings_.jobs, &run_of_trials::tsan_trial, &run_of_trials::judge_tsan);
    // A thread that is stalled leaves its processor to others: below four at a time one is idle now and then.
    batch(remedies, settings_.stall_trials, 4 * settings_.jobs, &run_of_trials::stall_trial,
          &run_of_trials::judge_stall);
    if (run_.stopped_by == 0) find_unused_suppressions();
    return std::move(run_);
  }

 private:
  using make_trial = trial_request (run_of_trials::*)(std::size_t row, std::size_t index, std::size_t number);
  using judge_trial = void (run_of_trials::*)(std::size_t row, std::size_t number, const trial_result&);

  /// `trials` of each of `rows`, in turn, so that what one costs is known early.
  void batch(const std::vector<std::size_t>& rows, unsigned trials, unsigned jobs, make_trial make,
             judge_trial judge) {
    if (run_.stopped_by != 0 || rows.empty() || trials == 0) return;
    std::size_t launched = 0;
    trial_callbacks callbacks;
    callbacks.next = [&]() -> std::optional<trial_request> {
      if (launched == rows.size() * trials) return std::nullopt;
      now_ = rows[launched / trials];
      const std::size_t number = launched++;
      return (this->*make)(now_, number % trials, number);
    };
    callbacks.done = [&](std::size_t number, const trial_result& result) {
      (this->*judge)(rows[number / trials], number, result);
      ++ended_;
      if (number % trials == trials - 1) readers_.erase(rows[number / trials]);
    };
    callbacks.tick = [&] {
      if (tick_) tick_(run_.rows, ended_, now_);
    };
    run_.stopped_by = run_trials(jobs, callbacks);
  }

  [[nodiscard]] witness_files files_of(std::size_t number) const {
    return {.log = folder_ / fmt::format("{}.log", number),
            .records = folder_ / fmt::format("{}.records", number)};
  }

  trial_request tsan_trial(std::size_t row, std::size_t /*index*/, std::size_t number) {
    const tsan_row& at = run_.rows[row];
    const witness_files files = files_of(number);
    trial_request request;
    request.program = at.program.tsan;
    request.timeout = at.timeout;
    request.memory_limit = 0;  // shadow memory is terabytes of address space
    request.environment = {
        "RACELAB_TRACEBACK=none", "RACELAB_TSAN_RECORDS=" + files.records.string(),
        "TSAN_OPTIONS=" + tsan::options_text(runtime_, files.log.string(), suppressions_file(at.program.map),
                                             settings_.options)};
    return request;
  }

  /// The suppressions of a map's programs as a file; no name if there are none.
  std::string suppressions_file(const std::string& map) {
    const auto given = tsan::suppressions_for(tsan::suppressions(), runtime_, map);
    if (given.empty()) return "";
    const fs::path file = folder_ / (map + ".suppressions");
    if (!fs::exists(file)) {
      std::ofstream out(file);
      for (const tsan::suppression& each : given) {
        out << each.line() << '\n';
        wanted_suppressions_.insert(each.line());
      }
    }
    return file.string();
  }

  void judge_tsan(std::size_t row, std::size_t number, const trial_result& result) {
    tsan_row& at = run_.rows[row];
    const witness_files files = files_of(number);
    const std::vector<tsan::recorded_report> reports = tsan::read_records(files.records);
    const std::string log = files.text();
    files.remove();
    for (std::string& line : tsan::used_suppressions(log)) used_suppressions_.insert(std::move(line));

    ++at.trials;
    at.reports += static_cast<unsigned>(reports.size());
    if (!reports.empty()) ++at.with_reports;
    bool seen = false;
    for (const tsan::recorded_report& report : reports) {
      const classification& thought = reader_of(row).classify(report);
      auto what = thought.what;
      if (what == classification::kind::broken_heap)
        what = seen ? classification::kind::followed : classification::kind::unexpected;
      if (what == classification::kind::named) seen = true;
      if (what == classification::kind::followed) ++at.followed;
      if (what == classification::kind::unexpected) ++at.unexpected[thought.text];
    }
    if (seen) ++at.seen;
    if (const std::string why = contradiction(at, reports.size(), log, result); !why.empty())
      ++at.strange[why];
  }

  report_reader& reader_of(std::size_t row) {
    std::unique_ptr<report_reader>& reader = readers_[row];
    if (!reader) reader = std::make_unique<report_reader>(run_.rows[row]);
    return *reader;
  }

  /// What is wrong with a trial that its reports alone do not tell; empty if nothing is. The text log is the second
  /// witness, the exit code the third.
  [[nodiscard]] static std::string contradiction(const tsan_row& row, std::size_t reports,
                                                 std::string_view log, const trial_result& result) {
    const std::size_t printed = count_lines_that_start_with("WARNING: ThreadSanitizer: ", log);
    // A broken heap may break the runtime, too.
    const bool gave_up = log.find("FATAL: ThreadSanitizer") != std::string_view::npos ||
                         log.find("ThreadSanitizer: CHECK failed") != std::string_view::npos;
    const bool cut_short =
        result.signal != 0 || result.what == outcome::hang || result.exit_code == 2 || gave_up;
    // A thread that dies between the text and the record leaves the text alone.
    const bool agree = printed == reports || (cut_short && printed == reports + 1);
    if (!agree) return fmt::format("the log has {} reports and the program recorded {}", printed, reports);
    if (gave_up && !row.expects_report) return "the runtime itself gave up";
    if (!row.expects_report) {
      const bool fails_otherwise =
          row.kind == tsan_kind::repro && reports == 0;  // a bug that is no data race
      const int code = reports != 0 ? 66 : 0;
      if (!cut_short && (result.exit_code == code || (fails_otherwise && result.exit_code == 1))) return "";
      if (fails_otherwise && result.signal != 0) return "";
      return ending_of(result);
    }
    if (cut_short) return "";  // a race may crash, hang, or be stopped by the write flag
    const bool agrees =
        reports != 0 ? result.exit_code == 66 : result.exit_code == 0 || result.exit_code == 1;
    return agrees ? "" : fmt::format("{} with {} reports", ending_of(result), reports);
  }

  trial_request stall_trial(std::size_t row, std::size_t index, std::size_t number) {
    const tsan_row& at = run_.rows[row];
    const std::uint64_t seed = trial_seed(settings_.seed, at.scenario, at.program.map, index);
    trial_request request = perturbed_trial(at.program, perturbation::stall, seed, "none", at.timeout);
    request.environment.push_back("RACELAB_WATCH_LOG=" + files_of(number).records.string());
    // A table of megabytes, as libcuckoo's, in few large pages: a fifth of the time of its trials.
    use_large_pages(request);
    return request;
  }

  void judge_stall(std::size_t row, std::size_t number, const trial_result& result) {
    tsan_row& at = run_.rows[row];
    const witness_files files = files_of(number);
    const std::string caught = written_to(files.records);
    files.remove();
    ++at.stall_trials;
    for (const char* kind : {R"({"kind":"pair")", R"({"kind":"changed")"})
      at.pairs_caught += static_cast<unsigned>(count_lines_that_start_with(kind, caught));
    if (result.what == outcome::intact)
      ++at.intact;
    else
      ++at.broken[result.what == outcome::other ? result.why : std::string(name(result.what))];
  }

  void find_unused_suppressions() {
    std::ranges::set_difference(wanted_suppressions_, used_suppressions_,
                                std::back_inserter(run_.unused_suppressions));
  }

  const tsan::runtime runtime_;
  const tsan_settings& settings_;
  const tsan_tick& tick_;
  tsan_run run_;
  temporary_folder folder_;
  std::map<std::size_t, std::unique_ptr<report_reader>> readers_;  // by row, of programs that run now
  std::set<std::string> wanted_suppressions_;
  std::set<std::string> used_suppressions_;
  std::size_t ended_ = 0;
  std::size_t now_ = 0;
};

bool is_chosen(const std::vector<std::string>& fixes, const std::string& remedy) {
  return fixes.empty() ||
         std::ranges::any_of(fixes, [&](const std::string& each) { return each == "all" || each == remedy; });
}

void check_fixes(const catalogue& all, const std::vector<std::string>& fixes) {
  for (const std::string& wanted : fixes) {
    if (wanted == "all" || wanted == "none") continue;
    const auto at = std::ranges::find(all.fixes, wanted, &remedy::name);
    if (at == all.fixes.end()) {
      std::vector<std::string> names;
      for (const remedy& each : all.fixes) names.push_back(each.name);
      throw catalogue_error(fmt::format("no remedy '{}' (there are: {})", wanted, fmt::join(names, ", ")));
    }
    if (!at->built)
      throw catalogue_error(fmt::format("remedy {}: the library that it needs was missing", wanted));
  }
}

}  // namespace

std::string_view name(tsan_kind what) noexcept {
  switch (what) {
    case tsan_kind::repro:
      return "repro";
    case tsan_kind::fix:
      return "fix";
    case tsan_kind::norace:
      break;
  }
  return "norace";
}

bool tsan_row::seen_often_enough() const { return seen != 0 && wilson95(seen, trials).high >= 0.5; }

bool tsan_row::ok() const {
  return (expects_report ? seen_often_enough() : reports == 0) && unexpected.empty() && strange.empty() &&
         intact == stall_trials && pairs_caught == 0;
}

std::vector<tsan_row> plan_tsan(const catalogue& all, const std::vector<scenario>& chosen,
                                const tsan_settings& settings) {
  check_fixes(all, settings.fixes);
  const bool with_racy_maps =
      settings.fixes.empty() || std::ranges::find(settings.fixes, "none") != settings.fixes.end();
  std::vector<tsan_row> rows;
  for (const scenario& one : chosen) {
    tsan_row row;
    row.scenario = one.name;
    row.race = one.race;
    const auto ending_timeout =
        settings.timeout.value_or(one.timeout ? *one.timeout * slower : usual_timeout);
    for (const std::string& text : one.race)
      if (const auto pair = tsan::racing_pair_of(text)) row.pairs.push_back(*pair);
    for (const scenario_program& program : one.programs) {
      if (!with_racy_maps) break;
      row.kind = one.kind == scenario_kind::norace ? tsan_kind::norace : tsan_kind::repro;
      row.program = program;
      row.expects_report = one.expect.find("tsan=report") != std::string::npos;
      row.timeout = row.expects_report ? settings.timeout.value_or(racy_timeout) : ending_timeout;
      rows.push_back(row);
    }
    for (const scenario_program& program : one.fixed) {
      if (!is_chosen(settings.fixes, program.map)) continue;
      row.timeout = ending_timeout;
      row.kind = tsan_kind::fix;
      row.program = program;
      row.expects_report = false;
      rows.push_back(row);
    }
  }
  for (const tsan_row& row : rows) {
    std::vector<fs::path> needed{row.program.tsan};
    if (row.kind == tsan_kind::fix && settings.stall_trials != 0) needed.push_back(row.program.watch);
    for (const fs::path& program : needed)
      if (access(program.c_str(), X_OK) != 0)
        throw catalogue_error(fmt::format("{}: {} (is the target `tsan_programs` built?)", program.string(),
                                          std::strerror(errno)));
  }
  return rows;
}

tsan_run run_tsan(std::vector<tsan_row> rows, tsan::runtime runtime, const tsan_settings& settings,
                  const tsan_tick& tick) {
  return run_of_trials(std::move(rows), runtime, settings, tick).run();
}

std::size_t trials_of(const std::vector<tsan_row>& rows, const tsan_settings& settings) {
  std::size_t trials = 0;
  for (const tsan_row& row : rows)
    trials += settings.trials + (row.kind == tsan_kind::fix ? settings.stall_trials : 0);
  return trials;
}

std::vector<std::string> surprises(const tsan_run& run) {
  std::vector<std::string> lines;
  for (const tsan_row& row : run.rows) {
    const auto say = [&](const std::string& what) {
      lines.push_back(fmt::format("{} over {}: {}", row.scenario, row.program.map, what));
    };
    if (row.expects_report && !row.seen_often_enough())
      say(fmt::format("reported in {} of {} trials ({})", row.seen, row.trials, fmt::join(row.race, "; ")));
    for (const auto& [what, count] : row.unexpected)
      say(fmt::format("unexpected, {} times: {}", count, what));
    for (const auto& [what, count] : row.strange)
      say(fmt::format("{} of {} trials: {}", count, row.trials, what));
    for (const auto& [what, count] : row.broken)
      say(fmt::format("{} of {} trials under stalls: {}", count, row.stall_trials, what));
    if (row.pairs_caught != 0)
      say(fmt::format("{} pairs were caught in {} trials under stalls", row.pairs_caught, row.stall_trials));
  }
  for (const std::string& line : run.unused_suppressions)
    lines.push_back("suppression " + line + " matched nothing");
  return lines;
}

}  // namespace racelab::lab
