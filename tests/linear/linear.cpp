// linear.NAME: records short histories of a map whose threads are stalled at their accesses, and checks each of them.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <system_error>

#include "sanitizers/watchpoint/watchpoint.hpp"
#include "tests/linear/check.hpp"
#include "tests/linear/program_map.hpp"
#include "tests/linear/workload.hpp"

namespace {

using namespace racelab;
using namespace racelab::linear;

struct options {
  std::size_t operations = 100'000;  // at least so many are checked, unless one is wrong before
  double seconds = std::numeric_limits<double>::infinity();  // … or so long
  std::uint64_t seed = 1;
  int threads = 4;
  std::string json;
  bool header = true;
};

constexpr auto as_it_should_be = "linearizable";

struct totals {
  std::size_t operations = 0;
  std::size_t histories = 0;
  std::size_t overlapping = 0;
  watch::counters watched;
  double seconds = 0;
  std::optional<std::string> problem;

  [[nodiscard]] std::string result() const {
    if (problem) return "not linearizable";
    return watched.pairs + watched.changed == 0 ? as_it_should_be : "data race";
  }
};

/// Starts this program again with the perturbation that it wants, which the runtime and malloc read before main: a
/// window that stays open for the whole run, and freed memory that is overwritten. What the caller has set is kept.
void start_again_perturbed(char** arguments, std::uint64_t seed) {
  if (std::getenv("RACELAB_LINEAR_PERTURBED") != nullptr) return;
  setenv("RACELAB_LINEAR_PERTURBED", "1", 1);
  setenv("RACELAB_PERTURB", "stall", 0);
  setenv("RACELAB_SEED", std::to_string(seed).c_str(), 0);
  setenv("RACELAB_WATCH", "window_ms=1000000000 stall_us=100 stall_looks=100 skip=20", 0);
  setenv("MALLOC_PERTURB_", "165", 0);
  setenv("GLIBC_TUNABLES", "glibc.malloc.tcache_count=0", 0);
  execv("/proc/self/exe", arguments);
  throw std::system_error(errno, std::generic_category(), "/proc/self/exe");
}

totals run(const options& chosen) {
  // Few keys for many threads at each, and now and then so many that the map grows.
  constexpr std::array<int, 5> key_counts{1, 2, 4, 8, 64};
  totals sum;
  const auto start = std::chrono::steady_clock::now();
  while (sum.operations < chosen.operations && sum.seconds < chosen.seconds &&
         sum.result() == as_it_should_be) {
    const plan planned{.threads = chosen.threads,
                       .keys = key_counts[sum.histories % key_counts.size()],
                       .seed = chosen.seed * 1'000'003 + sum.histories};
    const auto map = make_map();
    const history recorded = record(*map, planned);
    check_result found = check(recorded, planned.keys);
    sum.operations += calls(recorded);
    sum.overlapping += found.overlapping;
    ++sum.histories;
    sum.problem = std::move(found.problem);
    sum.watched = watch::totals();
    sum.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
  return sum;
}

void print(const totals& sum, bool header) {
  constexpr auto row = "{:<22} {:>10} {:>9} {:>11} {:>9} {:>6} {:>7}  {}\n";
  if (header)
    fmt::print(row, "map", "operations", "histories", "overlapping", "stalls", "pairs", "seconds", "result");
  fmt::print(row, map_name(), sum.operations, sum.histories, sum.overlapping, sum.watched.stalls,
             sum.watched.pairs + sum.watched.changed, fmt::format("{:.1f}", sum.seconds), sum.result());
  if (sum.problem)
    std::fputs(sum.problem->c_str(), stdout);
  else if (sum.result() != as_it_should_be)
    std::puts(
        "two threads were caught at the same bytes: RACELAB_WATCH_LOG=FILE records them with their stacks");
}

void write_json(const totals& sum, const options& chosen) {
  const nlohmann::json document = {
      {"map", map_name()},
      {"seed", chosen.seed},
      {"threads", chosen.threads},
      {"operations", sum.operations},
      {"histories", sum.histories},
      {"overlapping", sum.overlapping},
      {"stalls", sum.watched.stalls},
      {"pairs", sum.watched.pairs},
      {"changed", sum.watched.changed},
      {"seconds", sum.seconds},
      {"result", sum.result()},
      {"problem", sum.problem ? nlohmann::json(*sum.problem) : nlohmann::json()}};
  std::ofstream out(chosen.json);
  out << document.dump(2) << '\n';
  if (!out.flush()) throw std::system_error(errno, std::generic_category(), chosen.json);
}

int checked_main(int count, char** arguments) {
  options chosen;
  bool no_header = false;
  CLI::App app("Checks recorded histories of " + map_name() + " for linearizability, key by key");
  app.add_option("--operations", chosen.operations, "How many to check (default: 100000)")
      ->check(CLI::Range(std::size_t{1}, std::size_t{1'000'000'000'000}));
  app.add_option("--seconds", chosen.seconds, "Stop after so long, too (default: no limit)")
      ->check(CLI::PositiveNumber);
  app.add_option("--seed", chosen.seed, "Of the operations and of the stalls (default: 1)");
  app.add_option("--threads", chosen.threads, "How many use the map (default: 4)")->check(CLI::Range(1, 64));
  app.add_option("--json", chosen.json, "Write the result as JSON, too")->type_name("FILE");
  app.add_flag("--no-header", no_header, "Print the row without its head");
  app.footer("Exit codes: 0 linearizable and no data race met, 1 otherwise, 2 wrong usage.");
  try {
    app.parse(count, arguments);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  start_again_perturbed(arguments, chosen.seed);

  const totals sum = run(chosen);
  print(sum, !no_header);
  if (!chosen.json.empty()) write_json(sum, chosen);
  return sum.result() == as_it_should_be ? 0 : 1;
}

}  // namespace

int main(int count, char** arguments) {
  try {
    return checked_main(count, arguments);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "linear.%s: %s\n", map_name().c_str(), error.what());
    return 2;
  }
}
