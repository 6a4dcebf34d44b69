#include "sanitizers/verdict/judge.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "sanitizers/verdict/catching.hpp"
#include "sanitizers/verdict/causes.hpp"
#include "sanitizers/verdict/consequences.hpp"
#include "sanitizers/verdict/lock_order.hpp"
#include "sanitizers/verdict/runner.hpp"
#include "sanitizers/verdict/targets.hpp"

namespace racelab::verdict {
namespace {

// How the budget is spent, as parts of it: until then.
constexpr double for_reports = 0.2;     // running the program under ThreadSanitizer
constexpr double for_comparison = 0.3;  // undisturbed runs, of which one is made in any case
constexpr double for_catching = 0.4;    // aimed runs
constexpr double for_few_runs = 0.75;   // aimed runs, at a report that was tried seldom: each takes long
constexpr unsigned few_attempts = 6;
constexpr double for_other_races = 0.1;  // more: unaimed runs, for races that were not reported
constexpr double for_all_races = 0.25;   // the same where nothing was reported
constexpr double for_conflicts = 0.15;   // more: where nothing was reported, at what met in a run
constexpr unsigned most_report_runs = 5;
constexpr unsigned first_unaimed_runs = 3;
constexpr std::size_t most_unproven = 3;  // that are told of
constexpr unsigned most_unaimed_runs =
    120;  // where nothing was reported, or its sites are not reached; else a tenth
constexpr unsigned unaimed_to_one_of_locks = 4;  // where nothing was reported

class judge {
 public:
  judge(judged_program& program, const judge_settings& settings, const judge_progress& progress)
      : settings_(settings),
        runs_(program, settings, progress),
        all_(runs_),
        causes_(all_, runs_),
        locks_(all_, runs_) {}

  judgement run() {
    collect_reports();
    runs_.watch_undisturbed(for_comparison);
    for (unsigned i = 0; i < first_unaimed_runs && runs_.has_time(for_comparison); ++i) run_unaimed();
    investigate(for_catching);
    look_for_others();
    finish_caught();
    all_.find_sites();
    ask_why();
    investigate(1);
    finish_caught();
    for (std::size_t i = 0; i < all_.size(); ++i) {
      if (!all_.at(i).open()) continue;
      if (all_.at(i).is_lock_order)
        lock_orders::leave_open(all_.at(i));
      else
        causes::leave_open(all_.at(i));
    }
    return result();
  }

 private:
  void collect_reports() {
    if (!settings_.given.empty()) {
      all_.take_reports(settings_.given);
      return;
    }
    do {
      runs_.tell(fmt::format("ThreadSanitizer, run {}", runs_.tsan_runs() + 1));
      all_.take_reports(runs_.tsan({}).reports);
    } while (runs_.tsan_runs() < most_report_runs && runs_.has_time(for_reports));
    causes_.take_usual_runs(runs_.tsan_runs());
  }

  void run_unaimed() {
    ++unaimed_;
    attempt_unaimed(all_, runs_);
  }

  void investigate(double part) {
    const auto has_time = [&](const target& of) {
      return runs_.has_time(part) || (of.attempts < few_attempts && runs_.has_time(for_few_runs));
    };
    bool any = true;
    while (any) {
      any = false;
      bool reached = false;
      all_.find_sites();
      for (std::size_t i = 0; i < all_.size(); ++i) {
        target& each = all_.at(i);
        if (!each.open() || !(each.is_race() || each.is_lock_order) || !has_time(each)) continue;
        if (each.is_of_a_library) continue;  // no thread can be stalled there
        if (!each.is_lock_order && !each.reached() && unaimed_ >= most_unaimed_runs) continue;
        any = true;
        reached = reached || each.is_lock_order || each.reached();
        if (each.is_lock_order)
          locks_.attempt(each);
        else if (each.reached())
          attempt(each, all_, runs_);
      }
      if (any && !reached) runs_.allow_more_time();
      if (any && (!reached || runs_.has_time(part))) run_unaimed();
    }
  }

  void look_for_others() {
    bool any = false;
    for (std::size_t i = 0; i < all_.size(); ++i) any = any || !all_.at(i).is_of_a_library;
    const double part = std::min(1.0, runs_.part_spent() + (any ? for_other_races : for_all_races));
    const unsigned most = any ? most_unaimed_runs / 10 : most_unaimed_runs;
    while (unaimed_ < most && runs_.has_time(part)) {
      if (!any && unaimed_ % unaimed_to_one_of_locks == 0) locks_.attempt_unreported();
      run_unaimed();
    }
    if (!any) attempt_conflicts(all_, runs_, runs_.part_spent() + for_conflicts);
  }

  void ask_why() {
    std::vector<target*> open;
    for (std::size_t i = 0; i < all_.size(); ++i) {
      target& each = all_.at(i);
      if (!each.open()) continue;
      if (each.is_lock_order)
        locks_.conclude(each);
      else
        open.push_back(&each);
    }
    causes_.conclude(open);
  }

  void finish_caught() {
    all_.forget_known_changes();
    for (std::size_t i = 0; i < all_.size(); ++i) {
      target& each = all_.at(i);
      if (!each.caught || each.out.what == verdict::confirmed) continue;
      if (!each.caught->came && each.is_race() && each.reached()) look_for_other_side(each, all_, runs_);
      describe_catch(each, runs_);
      if (each.out.what != verdict::confirmed) {
        if (!each.out.reported && unproven_.size() < most_unproven) unproven_.push_back(each.out.reason);
        continue;
      }
      find_recipe(each, runs_);
      force_orders(each, runs_);
    }
    all_.forget_unproven_changes();
  }

  judgement result() {
    judgement out;
    out.seconds = runs_.spent();
    out.seed = settings_.seed;
    out.tsan_runs = runs_.tsan_runs();
    out.watch_runs = runs_.watch_runs();
    out.interrupted = runs_.stopped();
    if (!runs_.undisturbed().empty()) {
      const ending& alone = runs_.undisturbed().front();
      if (alone.timed_out)
        out.notes.emplace_back("The program did not end by itself: each run was ended after its time.");
      else if (alone.signal != 0)
        out.notes.push_back(fmt::format("The program dies when nothing is stalled, too: {}.", alone.text()));
    }
    if (!runs_.marks_heap())
      out.notes.emplace_back(
          "The program dies when new and freed memory is overwritten (MALLOC_PERTURB_): its runs were made "
          "without that.");
    std::ranges::copy(unproven_, std::back_inserter(out.notes));
    if (causes_.ran_out_of_time())
      out.notes.emplace_back(
          "The time was over before each report had been asked what orders its accesses: --budget gives "
          "more.");
    for (const verdict what :
         {verdict::confirmed, verdict::unconfirmed, verdict::ordering_only, verdict::likely_false})
      for (std::size_t i = 0; i < all_.size(); ++i)
        if (all_.at(i).out.what == what) out.reports.push_back(std::move(all_.at(i).out));
    return out;
  }

  const judge_settings& settings_;
  runner runs_;
  target_list all_;
  causes causes_;
  lock_orders locks_;
  unsigned unaimed_ = 0;
  std::vector<std::string> unproven_;  // of changes that are no proof of a race, the first few
};

}  // namespace

std::string ending::text() const {
  if (timed_out) return "no end in time";
  if (signal != 0) return fmt::format("signal {}", signal);
  return fmt::format("exit {}", exit_code);
}

judgement judge_program(judged_program& program, const judge_settings& settings,
                        const judge_progress& progress) {
  return judge(program, settings, progress).run();
}

watch_run replay(judged_program& program, const recipe& again, std::chrono::milliseconds timeout) {
  watch_request request;
  request.plan = again.plan;
  request.seed = again.seed;
  request.options = again.options;
  request.marks_heap = again.marks_heap;
  request.timeout = timeout;
  return program.run_watch(request);
}

}  // namespace racelab::verdict
