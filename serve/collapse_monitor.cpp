#include "serve/collapse_monitor.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <condition_variable>
#include <exception>
#include <fstream>
#include <mutex>
#include <system_error>
#include <utility>

#include "serve/flame_graph.hpp"
#include "serve/metrics.hpp"

namespace racelab::serve {
namespace {

void write(const std::filesystem::path& file, const std::string& text) {
  std::ofstream to(file, std::ios::binary);
  if (!(to << text).flush()) throw std::system_error(errno, std::generic_category(), file.string());
}

/// Waits; true if it was not stopped meanwhile.
bool rested(std::chrono::milliseconds length, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  return !wake.wait_for(lock, stop, length, [&stop] { return stop.stop_requested(); });
}

}  // namespace

std::string said(const collapse_report& report) {
  const auto& [before, now] = report.load;
  std::string line = fmt::format(
      "contention collapse: {:.0f} -> {:.0f} operations/s while {:.2f} -> {:.2f} processors are used; ",
      before.throughput(), now.throughput(), before.processors(), now.processors());
  if (report.lock) {
    line += fmt::format("contended lock: taken by {}", report.lock->function);
    if (!report.lock->file.empty()) line += fmt::format(" ({}:{})", report.lock->file, report.lock->line);
    line += fmt::format(", where {:.0f} % of the busy threads wait", 100 * report.lock->share);
  } else {
    line += "no thread was seen waiting for a lock";
  }
  return line + "; " + report.picture.string();
}

collapse_monitor::collapse_monitor(monitor_options options, std::function<std::uint64_t()> operations,
                                   std::function<void(const collapse_report&)> seen,
                                   std::function<void(const std::string&)> failed)
    : options_(std::move(options)),
      operations_(std::move(operations)),
      seen_(std::move(seen)),
      failed_(std::move(failed)),
      watching_([this](const std::stop_token& stop) { watch(stop); }) {}

void collapse_monitor::watch(const std::stop_token& stop) {
  using clock = std::chrono::steady_clock;
  collapse_rule rule(options_.rule);
  auto last = clock::now();
  std::uint64_t operations = operations_();
  double cpu = cpu_seconds();
  std::optional<clock::time_point> captured;
  while (rested(options_.period, stop)) {
    const auto now = clock::now();
    const std::uint64_t operations_now = operations_();
    const double cpu_now = cpu_seconds();
    const auto load = rule.add({.seconds = std::chrono::duration<double>(now - last).count(),
                                .operations = operations_now - operations,
                                .cpu_seconds = cpu_now - cpu});
    if (load && (!captured || now - *captured >= options_.rest)) {
      captured = now;
      try {
        seen_(capture(*load, stop));
      } catch (const std::exception& error) {
        failed_(error.what());
      }
    }
    // Anew: what the capture itself costs is no load.
    last = clock::now();
    operations = operations_();
    cpu = cpu_seconds();
  }
}

collapse_report collapse_monitor::capture(const collapse_seen& load, const std::stop_token& stop) const {
  collapse_report report{.load = load, .lock = {}, .folded = {}, .picture = {}};
  const auto samples = sample_threads(options_.capture, options_.every, stop);
  report.lock = most_contended(samples);
  std::filesystem::create_directories(options_.folder);
  for (unsigned number = 1;; ++number) {
    report.folded = options_.folder / fmt::format("collapse-{}.folded", number);
    report.picture = options_.folder / fmt::format("collapse-{}.svg", number);
    if (!std::filesystem::exists(report.folded) && !std::filesystem::exists(report.picture)) break;
  }
  const folded_stacks folded = fold(samples);
  const std::string title =
      report.lock ? fmt::format("contended lock: taken by {}, {:.0f} % of the busy threads wait",
                                report.lock->function, 100 * report.lock->share)
                  : std::string("contention collapse: nobody waits for a lock");
  write(report.folded, folded_text(folded));
  write(report.picture, flame_graph_svg(folded, title));
  return report;
}

}  // namespace racelab::serve
