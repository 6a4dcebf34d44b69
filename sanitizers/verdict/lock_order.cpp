#include "sanitizers/verdict/lock_order.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "sanitizers/verdict/consequences.hpp"
#include "sanitizers/verdict/matching.hpp"
#include "stacks/symbolise.hpp"
#include "stacks/text.hpp"

namespace racelab::verdict {
namespace {

using stacks::plural;

// Threads that nothing keeps apart come together in one of so many.
constexpr unsigned least_runs_apart = 20;

// What stalls a thread between two locks. The first finds more; the second is surer where each thread has to have its first lock.
constexpr const char* by_chance = "lock_stall_us=5000";
constexpr const char* every_holder = "lock_stall_us=50000 lock_stall_exact=1";

bool holds(const nested_lock& at, const std::string& lock) {
  return std::ranges::find(at.held, lock) != at.held.end();
}

// A thread that is there when the other one comes could have been late itself.
bool are_apart(const nested_lock& a, const nested_lock& b) {
  return a.where.thread == b.where.thread ||
         (!a.alive.contains(b.where.thread) && !b.alive.contains(a.where.thread));
}

}  // namespace

cycle_guards guards_of(const std::vector<nested_lock>& taken) {
  std::map<std::pair<std::string, std::string>, std::vector<const nested_lock*>> edges;
  for (const nested_lock& each : taken)
    for (const std::string& held : each.held) edges[{held, each.mutex}].push_back(&each);
  cycle_guards result;
  for (const auto& [edge, one_way] : edges) {
    const auto back = edges.find({edge.second, edge.first});
    if (back == edges.end() || edge.first > edge.second) continue;
    result.any_cycle = true;
    std::vector<const nested_lock*> all = one_way;
    all.insert(all.end(), back->second.begin(), back->second.end());
    std::set<unsigned> threads;
    std::vector<std::string> common = all.front()->held;
    for (const nested_lock* each : all) {
      threads.insert(each->where.thread);
      std::erase_if(common, [&](const std::string& lock) {
        return lock == edge.first || lock == edge.second || !holds(*each, lock);
      });
    }
    result.gated = result.gated && !common.empty();
    result.one_thread = result.one_thread && threads.size() == 1;
    for (const nested_lock* one : one_way)
      result.apart = result.apart && std::ranges::all_of(back->second, [&](const nested_lock* other) {
                       return are_apart(*one, *other);
                     });
  }
  return result;
}

evidence lock_orders::watch() {
  watch_request request;
  request.options = by_chance;
  return all_.watch(request).found;
}

void lock_orders::attempt_unreported() {
  runs_.tell("unaimed run, of locks");
  for (const deadlock& each : watch().deadlocks)
    if (target& of = all_.target_of(each); of.open()) confirm(of, each);
}

void lock_orders::attempt(target& of) {
  runs_.tell(fmt::format("lock order, run {}", ++of.attempts));
  const evidence found = watch();
  ++of.out.trials;
  const cycle_guards guards = guards_of(found.nested_locks);
  guards_.any_cycle = guards_.any_cycle || guards.any_cycle;
  guards_.gated = guards_.gated && guards.gated;
  guards_.one_thread = guards_.one_thread && guards.one_thread;
  guards_.apart = guards_.apart && guards.apart;
  for (const deadlock& each : found.deadlocks) {
    std::set<std::string> functions;
    for (const deadlock::waiter& waiter : each.waiters)
      for (const stacks::frame& frame : runs_.names().frames(waiter.where.stack))
        functions.insert(stacks::short_name(frame.function));
    const bool same = std::ranges::any_of(
        of.out.sites, [&](const judged_site& site) { return functions.contains(site.function); });
    if (same && of.open()) confirm(of, each);
  }
}

void lock_orders::confirm(target& of, const deadlock& cycle) {
  of.out.what = verdict::confirmed;
  of.out.reason =
      fmt::format("{} were caught waiting for each other.", plural(cycle.waiters.size(), "thread"));
  of.out.harm = consequence::hang;
  of.out.harm_detail = "the threads wait for ever";
  of.add_evidence("deadlock", of.out.reason);
  for (const deadlock::waiter& waiter : cycle.waiters)
    of.out.caught.push_back(
        {.title = fmt::format("thread {}, waiting for {} while it holds {}", waiter.where.thread,
                              waiter.waits_for, fmt::join(waiter.holds, ", ")),
         .frames = runs_.names().frames(waiter.where.stack),
         .created_by = runs_.names().frames(waiter.where.created_by)});
  for (const char* const how : {every_holder, by_chance}) {
    recipe tried;
    tried.catches = catch_kind::deadlock;
    tried.options = how;
    tried.sites = sites_of(cycle, runs_.names());
    try_out(tried, of.out, runs_);
    if (tried.reproduced != 0 && (!of.out.again || is_better(tried, *of.out.again))) of.out.again = tried;
    if (tried.reproduced == tried.trials) break;
  }
}

void lock_orders::call_false(target& of, const char* cause, const std::string& reason,
                             const std::string& evidence) {
  const std::string runs = plural(of.out.trials, "run");
  of.out.what = verdict::likely_false;
  of.out.cause = cause;
  of.out.reason = fmt::format("No deadlock in {}, and {}.", runs, reason);
  of.add_evidence(cause, evidence);
  of.add_evidence("not-caught", "no deadlock in " + runs);
}

void lock_orders::conclude(target& of) const {
  if (!guards_.any_cycle) return;
  if (guards_.gated)
    call_false(of, "gate-lock",
               "whenever two locks were taken in either order a third one was held: it keeps the two apart",
               "a common lock was held at each of the acquisitions that make the cycle");
  else if (guards_.one_thread)
    call_false(of, "one-thread", "one thread alone takes the locks in both orders",
               "all acquisitions that make the cycle are by one thread");
  else if (guards_.apart && of.out.trials >= least_runs_apart)
    call_false(
        of, "lock-order-history",
        "the threads that take the locks in one order were never there together with those of the other",
        fmt::format("in {}, with stalls after each first lock, either thread had ended before the other one "
                    "was created",
                    plural(of.out.trials, "run")));
}

void lock_orders::leave_open(target& of) {
  const std::string runs = plural(of.out.trials, "run");
  of.add_evidence("not-caught", "no deadlock in " + runs);
  of.out.reason = fmt::format("No deadlock in {}: that does not mean that there can be none.", runs);
}

}  // namespace racelab::verdict
