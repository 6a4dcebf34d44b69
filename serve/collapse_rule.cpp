#include "serve/collapse_rule.hpp"

#include <algorithm>

namespace racelab::serve {

bool collapse_rule::has_collapsed(const load_sample& best, const load_sample& now) const {
  if (best.throughput() < settings_.least || now.throughput() >= settings_.fall * best.throughput())
    return false;
  const double nearly_all = settings_.all * settings_.processors;
  return now.processors() >= settings_.rise * best.processors() ||
         (best.processors() >= nearly_all && now.processors() >= nearly_all);
}

std::optional<collapse_seen> collapse_rule::add(const load_sample& now) {
  std::optional<collapse_seen> seen;
  if (!recent_.empty()) {
    const load_sample best = *std::ranges::max_element(recent_, {}, &load_sample::throughput);
    collapsed_in_a_row_ = has_collapsed(best, now) ? collapsed_in_a_row_ + 1 : 0;
    if (collapsed_in_a_row_ >= settings_.in_a_row) seen = collapse_seen{.before = best, .now = now};
  }
  if (seen) {
    recent_.clear();
    collapsed_in_a_row_ = 0;
  }
  recent_.push_back(now);
  if (recent_.size() > settings_.recent) recent_.pop_front();
  return seen;
}

}  // namespace racelab::serve
