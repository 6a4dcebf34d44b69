#include "sanitizers/verdict/causes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <climits>
#include <cmath>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

#include "sanitizers/verdict/orders.hpp"
#include "stacks/text.hpp"

namespace racelab::verdict {
namespace {

using stacks::plural;

constexpr std::string_view stronger_atomics = "force_seq_cst_atomics=1";
constexpr std::string_view without_libraries = "ignore_noninstrumented_modules=1";
// Is no option: with it, ThreadSanitizer knows what LLVM's OpenMP library orders (S. Atzeni et al., IPDPS 2016).
constexpr std::string_view archer = "Archer";
constexpr unsigned option_runs = 6;
constexpr unsigned most_option_runs = 60;
constexpr unsigned most_archer_runs = 20;  // the delays can tell by themselves
constexpr double until = 0.97;             // of the budget
// Of what is left of it then: how the accesses wait has to be asked, too.
constexpr double for_stronger_atomics = 0.5;
constexpr double for_archer = 0.4;

bool is_in_atomic_shared_ptr(const target& of) {
  for (const report_side& side : of.sides)
    for (const tsan::frame& each : side.frames)
      if (each.function.find("_Sp_atomic") != std::string::npos ||
          each.file.find("shared_ptr_atomic.h") != std::string::npos)
        return true;
  return false;
}

void add_not_caught(target& of) {
  if (!of.reached())
    of.add_evidence("not-reached", fmt::format("no run came to {} while the program had threads",
                                               at_line(of.out.sites[of.sites[0].empty() ? 0 : 1])));
  of.add_evidence("not-caught", "both threads were not caught in " + plural(of.out.trials, "run"));
}

void call_false(target& of, const std::string& cause, const std::string& why) {
  of.out.what = verdict::likely_false;
  of.out.cause = cause;
  of.out.reason = fmt::format("Never caught in {}, {}.", plural(of.out.trials, "run"), why);
}

tsan_request request_with(std::string_view option) {
  tsan_request request;
  if (option == archer) {
    request.archer = true;
    option = without_libraries;  // Archer can't tell of what the library does inside
  }
  if (!option.empty()) request.options.emplace_back(option);
  return request;
}

}  // namespace

unsigned runs_to_vanish(unsigned seen, unsigned usual_runs) {
  constexpr double unlikely = 0.01;
  if (seen == 0) return UINT_MAX;
  for (unsigned runs = 1;; ++runs) {
    double chance = 1;
    for (unsigned i = 0; i < seen; ++i)
      chance *= (usual_runs - i) / static_cast<double>(usual_runs + runs - i);
    if (chance < unlikely) return runs;
  }
}

// No more once `id` is seen: it does not vanish.
const causes::option_trials& causes::trials_with(std::string_view option, unsigned wanted,
                                                 const std::string& id) {
  option_trials& counts = by_option_[std::string(option)];
  while (counts.runs < wanted && !counts.seen.contains(id) && runs_.has_time(until_)) {
    runs_.tell(fmt::format("ThreadSanitizer with {}, run {}", option.empty() ? "its usual options" : option,
                           counts.runs + 1));
    tsan_run run = runs_.tsan(request_with(option));
    // One that was cut short may not have come to the race.
    if (runs_.stopped()) break;
    if (run.end.timed_out && !runs_.is_unending()) continue;
    for (const std::string& each : all_.ids_of(std::move(run.reports))) ++counts.seen[each];
    ++counts.runs;
  }
  return counts;
}

void causes::take_usual_runs(unsigned made) {
  option_trials& usual = by_option_[""];
  usual.runs = made;
  for (std::size_t i = 0; i < all_.size(); ++i) usual.seen[all_.at(i).out.id] = all_.at(i).out.seen;
}

bool causes::vanishes(target& of, std::string_view option) {
  const option_trials& usual = trials_with("", option_runs);
  const auto seen = usual.seen.find(of.out.id);
  if (seen == usual.seen.end()) return false;
  // What is reported inside of such a library can't be reported with the option.
  const bool can_not = option == without_libraries && of.is_of_a_library;
  const unsigned wanted = can_not ? option_runs : runs_to_vanish(seen->second, usual.runs);
  if (wanted > (option == archer ? most_archer_runs : most_option_runs)) return false;
  const option_trials& with = trials_with(option, std::max(wanted, option_runs), of.out.id);
  if (with.runs < wanted || with.seen.contains(of.out.id)) return false;
  of.add_evidence("vanishes", fmt::format("reported in {} of {} runs, and in 0 of {} with {}", seen->second,
                                          usual.runs, with.runs, option));
  return true;
}

// That option leaves out all accesses of memcpy, free, read and their kin, whoever calls them: what is no library's vanishes
// without telling anything.
bool causes::touches_library(const target& of) const {
  const auto is_library = [&](const tsan::frame& frame) {
    return !frame.module.empty() && !runs_.is_instrumented(frame.module);
  };
  return std::ranges::any_of(of.sides, [&](const report_side& side) {
    return std::ranges::any_of(side.inner, is_library) ||
           (!side.frames.empty() && is_library(side.frames.front()));
  });
}

bool causes::any_caught() const {
  for (std::size_t i = 0; i < all_.size(); ++i)
    if (all_.at(i).caught) return true;
  return false;
}

// What is said of reports other than races of two accesses.
void causes::leave_unjudged(target& of) {
  of.out.reason =
      of.is_by_one_thread
          ? "One thread made both accesses: it is no race, and no order between threads excuses it."
          : "It is no race of two accesses: nothing is said of this kind of report.";
  of.add_evidence("not-judged", of.out.reason);
}

void causes::conclude(const std::vector<target*>& open) {
  std::vector<target*> strong;
  until_ = std::lerp(runs_.part_spent(), until, for_stronger_atomics);
  for (target* of : open) {
    if (!of->is_race())
      leave_unjudged(*of);
    else if (vanishes(*of, stronger_atomics))
      conclude_weak(*of);
    else
      strong.push_back(of);
  }
  std::vector<target*> reached;
  std::ranges::copy_if(strong, std::back_inserter(reached), &target::reached);
  if (runs_.has_archer()) {
    until_ = std::lerp(runs_.part_spent(), until, for_archer);
    for (target* of : reached) of->is_ordered_by_openmp = vanishes(*of, archer);
  }
  waits_.measure(reached);
  until_ = until;
  for (target* of : strong)
    if (!of->caught) conclude_strong(*of);
}

void causes::conclude_weak(target& of) {
  judged_report& out = of.out;
  const bool known = is_in_atomic_shared_ptr(of);
  const auto by = known ? std::nullopt : find_hand_over(of, all_, runs_);
  if (of.caught) return;
  out.what = verdict::ordering_only;
  if (known) out.cause = "libstdcxx-atomic-shared-ptr";
  const std::string on_what =
      by ? text_of(*by, runs_.names())
         : fmt::format(
               "{}. x86-64 keeps the order, a weaker machine (ARM, POWER) need not",
               known ? "libstdc++'s atomic<shared_ptr>, whose load() unlocks relaxed"
                     : "an atomic that is too weak, or on a fence, which ThreadSanitizer does not model");
  out.reason = fmt::format(
      "Never caught in {}, and not reported once every atomic is sequentially consistent: the order hangs "
      "on {}.",
      plural(out.trials, "run"), on_what);
  add_not_caught(of);
}

void causes::conclude_strong(target& of) {
  judged_report& out = of.out;
  const std::optional<mechanism> waits = waits_.found_of(of);
  if (waits && waits->what == sight::racy) {
    out.what = verdict::ordering_only;
    out.reason = fmt::format(
        "Never caught in {}: one thread waits for the other by reading plain memory, which is a race "
        "itself and orders nothing on a weaker machine.",
        plural(out.trials, "run"));
  } else if (waits && waits->what == sight::hidden) {
    call_false(of, waits->cause,
               fmt::format("and one thread waits for the other by what ThreadSanitizer can't see: {} ({})",
                           waits->cause, waits->detail));
  } else if (of.is_held_up) {
    call_false(of, "openmp",
               "not reported once Archer tells ThreadSanitizer what libomp orders, and one thread comes the "
               "later the longer the other is stalled");
  } else if ((of.is_of_a_library || !any_caught()) && touches_library(of) &&
             vanishes(of, without_libraries)) {
    // What a library does on behalf of raced code is left out by that option, too: it says little where something was caught.
    call_false(of, "uninstrumented-library",
               "and not reported once what libraries that are not instrumented do is left out");
  }
  if (!of.open()) add_not_caught(of);
}

void causes::leave_open(target& of) {
  if (!of.is_race()) return;
  add_not_caught(of);
  of.out.reason = fmt::format(
      "Not caught in {}, and nothing was found that orders the two: that does not mean that the report is "
      "false.",
      plural(of.out.trials, "run"));
}

}  // namespace racelab::verdict
