#include "sanitizers/verdict/meetings.hpp"

#include <algorithm>
#include <iterator>
#include <unordered_map>

namespace racelab::verdict {
namespace {

constexpr std::uint64_t granule = 8;         // bytes
constexpr std::uint64_t most_granules = 16;  // of one access that are looked at

bool is_visit(const event& of) noexcept {
  return of.what == event::kind::visit || of.what == event::kind::stall_began;
}

bool earlier_gap(const meeting& a, const meeting& b) noexcept { return a.gap_ms() < b.gap_ms(); }

}  // namespace

bool conflict(const event& a, const event& b) noexcept {
  const bool writes = a.access != touch::read || b.access != touch::read;
  return overlap(a, b) && writes && !(a.atomic && b.atomic) && a.thread != b.thread;
}

std::vector<meeting> meetings_of(const std::vector<event>& events, const std::set<place>& a,
                                 const std::set<place>& b, std::size_t most) {
  std::vector<meeting> found;
  // Of each granule, the last visit of each thread at each site and address: neighbours in an array share a granule, and
  // the later one must not hide the earlier. Small lists: few threads share bytes.
  std::unordered_map<std::uint64_t, std::vector<event>> last;
  for (const event& each : events) {
    if (!is_visit(each)) continue;
    const bool of_a = a.contains(each.pc);
    const bool of_b = b.contains(each.pc);
    if (!of_a && !of_b) continue;
    const std::uint64_t from = each.address / granule;
    const std::uint64_t to =
        std::min((each.address + std::max(each.size, 1U) - 1) / granule, from + most_granules);
    for (std::uint64_t at = from; at <= to; ++at) {
      std::vector<event>& before = last[at];
      for (const event& earlier : before) {
        const bool of_both = (of_b && a.contains(earlier.pc)) || (of_a && b.contains(earlier.pc));
        if (of_both && conflict(earlier, each)) found.push_back({.first = earlier, .second = each});
      }
      const auto same = std::ranges::find_if(before, [&](const event& one) {
        return one.thread == each.thread && one.pc == each.pc && one.address == each.address;
      });
      if (same != before.end())
        *same = each;
      else
        before.push_back(each);
    }
    if (found.size() > 64 * most) {
      std::ranges::nth_element(found, found.begin() + static_cast<std::ptrdiff_t>(most), earlier_gap);
      found.resize(most);
    }
  }
  std::ranges::sort(found, earlier_gap);
  if (found.size() > most) found.resize(most);
  return found;
}

std::vector<delayed_visit> delayed_visits(const std::vector<event>& events, const place& stalled,
                                          const std::set<place>& sites) {
  std::vector<delayed_visit> found;
  std::set<unsigned> under_way;  // threads that are stalled
  for (auto began = events.begin(); began != events.end(); ++began) {
    if (began->what == event::kind::stall_ended) under_way.erase(began->thread);
    if (began->what != event::kind::stall_began) continue;
    const bool alone = under_way.empty();
    under_way.insert(began->thread);
    if (!alone || began->pc != stalled) continue;
    const auto ended = std::find_if(began, events.end(), [&](const event& each) {
      return each.what == event::kind::stall_ended && each.thread == began->thread && each.pc == began->pc;
    });
    const auto came = std::find_if(began, events.end(), [&](const event& each) {
      return is_visit(each) && sites.contains(each.pc) && conflict(*began, each);
    });
    if (ended == events.end() || came == events.end()) continue;
    // Whoever was stalled in between may be what it waited for.
    const bool others = std::any_of(std::next(began), came,
                                    [](const event& each) { return each.what == event::kind::stall_began; });
    if (others) continue;
    const auto ms = [&](const event& at) { return static_cast<double>(at.time_ns - began->time_ns) / 1e6; };
    found.push_back({.point = {.stalled_ms = ms(*ended), .came_ms = ms(*came)}, .thread = came->thread});
  }
  return found;
}

}  // namespace racelab::verdict
