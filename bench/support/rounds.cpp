#include "bench/support/rounds.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <optional>
#include <stdexcept>

#include "bench/support/words.hpp"

namespace racelab::bench {
namespace {

// Hands on what Google Benchmark measured; prints nothing.
class collector : public benchmark::BenchmarkReporter {
 public:
  using receiver = std::function<void(const std::string& name, const std::string& quantity, double value)>;

  // `is_timed` says of a benchmark, by its name, whether the time of its iterations is a quantity.
  collector(receiver receive, std::function<bool(const std::string& name)> is_timed)
      : receive_(std::move(receive)), is_timed_(std::move(is_timed)) {}

  bool ReportContext(const Context& /*context*/) override { return true; }

  void ReportRuns(const std::vector<Run>& report) override {
    for (const Run& each : report) {
      if (failed(each)) throw std::runtime_error(message(each));
      for (const auto& [quantity, counter] : each.counters)
        receive_(each.run_name.function_name, quantity, counter.value);
      if (each.threads == 1 && is_timed_(each.run_name.function_name))
        receive_(each.run_name.function_name, "ns",
                 each.real_accumulated_time * 1e9 / static_cast<double>(each.iterations));
    }
  }

 private:
  // Google Benchmark 1.8 renamed what says that a run was skipped with an error.
  template <class AnyRun> static bool failed(const AnyRun& run) {
    if constexpr (requires { run.error_occurred; })
      return run.error_occurred;
    else
      return static_cast<bool>(run.skipped);
  }
  template <class AnyRun> static std::string message(const AnyRun& run) {
    if constexpr (requires { run.error_message; })
      return run.error_message;
    else
      return run.skip_message;
  }

  receiver receive_;
  std::function<bool(const std::string& name)> is_timed_;
};

// How far the rounds are, on a terminal.
class progress {
 public:
  explicit progress(const std::string& question, std::size_t rounds)
      : question_(question), rounds_(rounds), shown_(isatty(STDERR_FILENO) == 1) {}
  progress(const progress&) = delete;
  progress& operator=(const progress&) = delete;
  ~progress() {
    if (shown_) std::fputs("\r\033[K", stderr);
  }
  void at(std::size_t round, const std::string& contender) const {
    if (shown_)
      fmt::print(stderr, "\r\033[K{}: round {} of {}, {}", question_, round + 1, rounds_, contender);
  }

 private:
  const std::string& question_;
  std::size_t rounds_;
  bool shown_;
};

}  // namespace

rounds::rounds(std::string question, std::vector<std::string> only, const std::string& where)
    : question_(std::move(question)), only_(std::move(only)), where_(words(where)) {}

bool rounds::wanted(const std::string& point) const {
  const std::string& contender = turns_.back().contender;
  return (only_.empty() || std::ranges::find(only_, contender) != only_.end()) && has_words(point, where_);
}

void rounds::turn(std::string contender, std::function<void()> set_up, std::function<void()> tear_down) {
  turns_.push_back(
      {.contender = std::move(contender), .set_up = std::move(set_up), .tear_down = std::move(tear_down)});
}

benchmark::internal::Benchmark* rounds::add(std::string point, bool timed,
                                            std::function<void(benchmark::State&)> work) {
  if (turns_.empty()) throw std::logic_error("a cell before the first turn");
  if (!wanted(point)) return nullptr;
  const std::size_t turn = turns_.size() - 1;
  turns_[turn].has_cells = true;
  cells_.push_back({turn, std::move(point), timed});
  return benchmark::RegisterBenchmark(fmt::format("t{}c{}", turn, cells_.size() - 1).c_str(),
                                      std::move(work));
}

void rounds::cell(std::string point, int threads, double seconds,
                  std::function<void(benchmark::State&)> work) {
  if (auto* const added = add(std::move(point), true, std::move(work)))
    added->Threads(threads)->MinTime(seconds)->UseRealTime();
}

void rounds::once(std::string point, std::function<void(benchmark::State&)> work) {
  if (auto* const added = add(std::move(point), false, std::move(work))) added->Iterations(1)->UseRealTime();
}

results rounds::run(std::size_t times, const std::string& csv) {
  results measured(question_);
  std::ofstream lines;
  if (!csv.empty()) {
    lines.open(csv);
    lines << "contender,point,quantity,round,value\n";
  }
  if (cells_.empty()) throw std::runtime_error("no contender and no point is called that");
  std::size_t round = 0;
  const auto cell_of_name = [this](const std::string& name) -> const cell_of& {
    return cells_.at(std::strtoul(name.c_str() + name.find('c') + 1, nullptr, 10));
  };
  const auto receive = [&](const std::string& name, const std::string& quantity, double value) {
    const auto& [turn, point, timed] = cell_of_name(name);
    const std::string& contender = turns_[turn].contender;
    if (round == 0) return;  // what it touches was cold
    measured.add(contender, point, quantity, value);
    if (lines.is_open())
      lines << fmt::format("{},{},{},{},{:.9g}\n", contender, point, quantity, round - 1, value)
            << std::flush;
  };
  collector collect(receive, [&](const std::string& name) { return cell_of_name(name).timed; });
  const progress shown(question_, times + 1);
  for (; round <= times; ++round)
    for (std::size_t i = 0; i < turns_.size(); ++i) {
      const std::size_t at = (i + round) % turns_.size();
      const turn_of& turn = turns_[at];
      if (!turn.has_cells) continue;
      shown.at(round, turn.contender);
      turn.set_up();
      benchmark::RunSpecifiedBenchmarks(&collect, nullptr, fmt::format("^t{}c", at));
      turn.tear_down();
      if (lines.is_open() && !lines) throw std::runtime_error(csv + ": cannot be written");
    }
  return measured;
}

}  // namespace racelab::bench
