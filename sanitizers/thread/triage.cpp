#include "sanitizers/thread/triage.hpp"

#include <memory>
#include <numeric>
#include <utility>

#include "sanitizers/thread/sites.hpp"

namespace racelab::tsan {
namespace {

constexpr std::size_t most_places = 5;
constexpr std::size_t most_complaints = 100;

}  // namespace

std::size_t triage_result::reports() const {
  return std::accumulate(findings.begin(), findings.end(), std::size_t{0},
                         [](std::size_t sum, const finding& each) { return sum + each.count; });
}

void triage::begin_log(std::string name) {
  result_.logs.push_back({std::move(name), 0, 0, 0});
  parser_ = std::make_unique<log_parser>([this](report&& found) { take(std::move(found)); },
                                         [this](const complaint& found) { take(found); });
}

void triage::feed(std::string_view piece) {
  result_.logs.back().bytes += piece.size();
  parser_->feed(piece);
}

void triage::end_log() {
  parser_->finish();
  result_.logs.back().lines = parser_->lines();
  parser_.reset();
}

void triage::take(report&& found) {
  ++result_.logs.back().reports;
  std::string text = signature(found);
  const place at{result_.logs.back().name, found.first_line};
  const auto [known, fresh] = by_signature_.try_emplace(std::move(text), result_.findings.size());
  if (fresh) {
    result_.findings.push_back({known->first, fingerprint(known->first), std::move(found), 1, {at}});
    return;
  }
  finding& same = result_.findings[known->second];
  ++same.count;
  if (same.seen.size() < most_places) same.seen.push_back(at);
  if (!same.first.complete && found.complete) same.first = std::move(found);
}

void triage::take(const complaint& found) {
  if (result_.complaints.size() >= most_complaints) {
    ++result_.more_complaints;
    return;
  }
  result_.complaints.push_back({{result_.logs.back().name, found.line}, found.text});
}

}  // namespace racelab::tsan
