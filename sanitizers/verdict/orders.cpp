#include "sanitizers/verdict/orders.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ranges>
#include <set>
#include <string_view>

namespace racelab::verdict {
namespace {

constexpr unsigned most_runs = 4;
constexpr std::size_t most_takes = 64;  // atomic operations before the second access that are looked at

bool is_release(std::memory_order order) noexcept {
  return order == std::memory_order_release || order == std::memory_order_acq_rel ||
         order == std::memory_order_seq_cst;
}

// Compilers take consume for acquire.
bool is_acquire(std::memory_order order) noexcept {
  return order != std::memory_order_relaxed && order != std::memory_order_release;
}

std::string_view name_of(std::memory_order order) noexcept {
  constexpr std::array<std::string_view, 6> names{"relaxed", "consume", "acquire",
                                                  "release", "acq_rel", "seq_cst"};
  const auto at = static_cast<std::size_t>(order);
  return at < names.size() ? names[at] : "atomic";
}

std::string operation_text(const event& of, place_names& names) {
  return fmt::format("the {} {} in {}", name_of(of.order), of.is_fence() ? "fence" : "operation",
                     at_line(of.pc, names));
}

// The first fence of a thread that is strong enough.
template <class Iterator>
std::optional<event> fence_in(Iterator begin, Iterator end, unsigned thread,
                              bool (*is_strong)(std::memory_order) noexcept) {
  const auto fence = std::find_if(begin, end, [&](const event& each) {
    return each.is_fence() && each.thread == thread && is_strong(each.order);
  });
  return fence == end ? std::nullopt : std::optional(*fence);
}

}  // namespace

bool hand_over::releases() const noexcept {
  return is_release(gives.order) || (fence_before && is_release(fence_before->order));
}

bool hand_over::acquires() const noexcept {
  return is_acquire(takes.order) || (fence_after && is_acquire(fence_after->order));
}

bool hand_over::explains() const noexcept { return !is_release(gives.order) || !is_acquire(takes.order); }

std::optional<hand_over> hand_over_of(const std::vector<event>& events, const meeting& between) {
  const auto from = std::ranges::upper_bound(events, between.first.time_ns, {}, &event::time_ns);
  const auto to = std::ranges::lower_bound(events, between.second.time_ns, {}, &event::time_ns);
  if (from >= to) return std::nullopt;
  const auto meanwhile = std::ranges::subrange(from, to);
  std::size_t looked_at = 0;
  // What the second thread did last is what let it go on.
  for (const event& takes : meanwhile | std::views::reverse) {
    if (takes.thread != between.second.thread || !takes.atomic || takes.is_fence()) continue;
    if (++looked_at > most_takes) return std::nullopt;
    const auto gives = std::ranges::find_if(meanwhile, [&](const event& each) {
      return each.thread == between.first.thread && each.atomic && each.access == touch::write &&
             overlap(each, takes);
    });
    if (gives == meanwhile.end()) continue;
    hand_over found{
        .gives = *gives, .takes = takes, .fence_before = std::nullopt, .fence_after = std::nullopt};
    found.fence_before = fence_in(from, gives, between.first.thread, is_release);
    found.fence_after = fence_in(std::ranges::upper_bound(meanwhile, takes.time_ns, {}, &event::time_ns), to,
                                 between.second.thread, is_acquire);
    return found;
  }
  return std::nullopt;
}

std::optional<hand_over> find_hand_over(target& of, target_list& all, runner& runs) {
  if (!of.reached()) return std::nullopt;
  std::set<place> atomics;
  for (const visited_site& each : runs.sites())
    if (each.atomic) atomics.insert(each.pc);
  for (unsigned run = 0; run < most_runs && runs.has_time(1); ++run) {
    runs.tell(fmt::format("{}: what orders it, run {}", at_line(of.out.sites.front()), run + 1));
    watch_request request;
    if (run % 2 == 1) runner::delay_entries(request);
    // The report's own sites first: a plan may have no room for all.
    for (const std::set<place>& sites : {of.both_sites(), runs.fences(), atomics})
      runs.observe(request, sites);
    const std::vector<event> events = all.watch(request).found.events;
    ++of.out.trials;
    if (of.caught) return std::nullopt;
    for (const meeting& each : meetings_of(events, of.sites[0], of.sites[1]))
      if (const auto found = hand_over_of(events, each); found && found->explains()) return found;
  }
  return std::nullopt;
}

std::string text_of(const hand_over& by, place_names& names) {
  if (by.is_by_fences()) {
    std::string fences;
    for (const std::optional<event>& each : {by.fence_before, by.fence_after})
      if (each) fences += (fences.empty() ? "" : " and ") + operation_text(*each, names);
    return fences +
           ", which ThreadSanitizer does not model. By the C++ memory model the order holds on every machine";
  }
  const std::string gives = operation_text(by.gives, names);
  const std::string takes = operation_text(by.takes, names);
  std::string weak;
  if (gives == takes && !by.releases() && !by.acquires()) {
    weak = gives + ", which neither releases what came before it nor acquires what comes after";
  } else {
    if (!by.releases()) weak = gives + ", which does not release what came before it";
    if (!by.acquires())
      weak += (weak.empty() ? "" : ", and ") + takes + ", which does not acquire what comes after it";
  }
  return weak + ". x86-64 keeps the order all the same, a weaker machine (ARM, POWER) need not";
}

}  // namespace racelab::verdict
