#include "sanitizers/verdict/targets.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "sanitizers/thread/sites.hpp"
#include "stacks/text.hpp"

namespace racelab::verdict {

std::string at_line(const judged_site& site) {
  const std::string_view file = stacks::file_name(site.file);
  if (site.line == 0) return site.function.empty() ? std::string(file) : site.function;
  return fmt::format("{} ({}:{})", site.function, file, site.line);
}

std::string at_line(const place& where, place_names& names) {
  party at;
  at.pc = where;
  return at_line(site_of(at, names));
}

std::set<place> target::both_sites() const {
  std::set<place> all = sites[0];
  all.insert(sites[1].begin(), sites[1].end());
  return all;
}

namespace {

std::vector<judged_site> sites_in(const tsan::report& report) {
  std::vector<judged_site> sites;
  for (const report_side& each : sides_of(report)) sites.push_back(site_of(each));
  if (!sites.empty()) return sites;
  for (const tsan::party& each : tsan::parties(report)) {
    report_side side;
    side.frames = each.where->frames;
    judged_site site = site_of(side);
    site.access = report.kind == tsan::report_kind::lock_order_inversion ? "lock" : "";
    sites.push_back(std::move(site));
  }
  return sites;
}

std::string identity(const tsan::report& report) {
  return identity_of(tsan::describe(report.kind).name, sites_in(report));
}

}  // namespace

target& target_list::add(const std::string& identity) {
  const std::string id = tsan::fingerprint(identity);
  by_id_[id] = targets_.size();
  target& fresh = targets_.emplace_back();
  fresh.out.id = id;
  return fresh;
}

target& target_list::target_of(const tsan::report& report) {
  const std::string text = identity(report);
  if (const auto known = by_id_.find(tsan::fingerprint(text)); known != by_id_.end()) {
    target& of = at(known->second);
    if (of.is_by_one_thread) take_sides(of, report);  // there may be two of them in this run
    return of;
  }
  target& fresh = add(text);
  take_sides(fresh, report);
  fresh.is_lock_order = report.kind == tsan::report_kind::lock_order_inversion;
  fresh.out.kind = tsan::describe(report.kind).name;
  fresh.out.title = report.title;
  fresh.out.sites = sites_in(report);
  return fresh;
}

void target_list::take_sides(target& of, const tsan::report& report) {
  of.is_by_one_thread = is_by_one_thread(report);
  if (of.is_by_one_thread) return;
  of.sides = sides_of(report);
  const auto is_users = [&](const tsan::frame& frame) {
    return frame.line != 0 && runs_.is_instrumented(frame.module);
  };
  of.is_of_a_library = of.is_race() && std::ranges::none_of(of.sides, [&](const report_side& side) {
                         return std::ranges::any_of(side.frames, is_users);
                       });
  sites_known_ = 0;  // those of its sides are to be found
}

void target_list::take_reports(std::vector<tsan::report> reports) {
  std::set<std::string> in_this_run;
  for (tsan::report& each : reports) {
    symbolise(each, runs_.modules(), runs_.names());
    target& of = target_of(each);
    if (in_this_run.insert(of.out.id).second) ++of.out.seen;
  }
}

std::set<std::string> target_list::ids_of(std::vector<tsan::report> reports) {
  std::set<std::string> ids;
  for (tsan::report& each : reports) {
    symbolise(each, runs_.modules(), runs_.names());
    ids.insert(tsan::fingerprint(identity(each)));
  }
  return ids;
}

void target_list::find_sites() {
  if (sites_known_ == runs_.sites().size()) return;
  sites_known_ = runs_.sites().size();
  for (target& each : targets_)
    for (std::size_t side = 0; side < each.sides.size(); ++side)
      each.sites.at(side) = sites_of(each.sides[side], runs_.sites(), runs_.names());
}

void target_list::take_caught(const evidence& found, const std::vector<std::string>& plan) {
  for (const caught_pair& each : found.caught) {
    target& of = target_of(each);
    // A pair tells more than a change by somebody who was not seen.
    if (of.caught && (of.caught->came || !each.came)) continue;
    of.caught = each;
    if (!of.out.caught_after) of.out.caught_after = runs_.spent();
    if (!of.is_race()) {
      of.sites[0] = {each.stalled.pc};
      if (each.came) of.sites[1] = {each.came->pc};
    }
    of.caught_by = plan;
    of.caught_events.clear();
    std::ranges::copy_if(found.events, std::back_inserter(of.caught_events),
                         [](const event& one) { return one.what != event::kind::visit; });
  }
}

watch_run target_list::watch(const watch_request& request) {
  watch_run run = runs_.watch(request);
  take_caught(run.found, request.plan);
  return run;
}

// By the sites, or by the lines where both parties stand. The sites of all come first: a write and a free may stand in one line.
target& target_list::target_of(const caught_pair& pair) {
  find_sites();
  std::vector<judged_site> sites{site_of(pair.stalled, runs_.names())};
  if (pair.came) sites.push_back(site_of(*pair.came, runs_.names()));
  const auto joins = [&](const target& each, std::size_t one, std::size_t other) {
    return each.sites.at(one).contains(pair.stalled.pc) && each.sites.at(other).contains(pair.came->pc);
  };
  std::vector<target*> with_the_stalled_side;
  for (target& each : targets_) {
    if (!each.is_race()) continue;
    if (each.both_sites().contains(pair.stalled.pc)) with_the_stalled_side.push_back(&each);
    if (pair.came && (joins(each, 0, 1) || joins(each, 1, 0))) return each;
  }
  for (target& each : targets_)
    if (pair.came && each.is_race() && same_pair(each.out.sites, sites)) return each;
  // Who changed a value was not seen. It was a report's other side if the stalled one is a side of that report alone.
  if (!pair.came && with_the_stalled_side.size() == 1) return *with_the_stalled_side.front();
  return unreported(tsan::report_kind::data_race, std::move(sites));
}

target& target_list::target_of(const deadlock& cycle) {
  return unreported(tsan::report_kind::lock_order_inversion, sites_of(cycle, runs_.names()));
}

target& target_list::unreported(tsan::report_kind kind, std::vector<judged_site> sites) {
  const tsan::kind_description& words = tsan::describe(kind);
  const std::string text = identity_of(words.name, sites);
  if (const auto known = by_id_.find(tsan::fingerprint(text)); known != by_id_.end())
    return at(known->second);
  target& fresh = add(text);
  fresh.is_lock_order = kind == tsan::report_kind::lock_order_inversion;
  fresh.out.kind = words.name;
  fresh.out.title = words.title;
  fresh.out.reported = false;
  fresh.out.sites = std::move(sites);
  return fresh;
}

void target_list::forget_known_changes() {
  forget_if([&](const target& change) {
    if (change.out.reported || change.out.sites.size() != 1) return false;
    return std::ranges::any_of(targets_, [&](const target& other) {
      return other.caught && other.caught->came &&
             std::ranges::any_of(other.out.sites, [&](const judged_site& site) {
               return same_place(site, change.out.sites.front());
             });
    });
  });
}

void target_list::forget_unproven_changes() {
  forget_if([](const target& change) {
    return !change.out.reported && change.caught && !change.caught->came &&
           change.out.what != verdict::confirmed;
  });
}

void target_list::forget_if(const std::function<bool(const target&)>& is_forgotten) {
  std::erase_if(targets_, is_forgotten);
  by_id_.clear();
  for (std::size_t i = 0; i < targets_.size(); ++i) by_id_[targets_[i].out.id] = i;
}

}  // namespace racelab::verdict
