// What does the watchpoint runtime cost where nothing is stalled, next to ThreadSanitizer's?
//
//   watch_bench [--rounds N] [--check]
//
// Three programs of one source: compiled with -O1; with -O1 -fsanitize=thread, and that one object linked with our runtime
// (RACELAB_PERTURB=none) and with the compiler's. A round runs each once, in an order that turns, and gives the ratios of
// their times. The bar is on the ratio of the two runtimes' times: at most 0.5 for the geometric mean of all kernels.
// --check: exit 1 if it is broken.
#include <fmt/format.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench/support/arguments.hpp"
#include "bench/support/machine.hpp"
#include "bench/support/paired.hpp"

namespace {

using namespace racelab;

constexpr double bar = 0.5;
constexpr std::array<const char*, 3> kinds{"plain", "watch", "tsan"};
constexpr std::array<const char*, 6> kernels{"stream", "chase", "sort", "own_map", "strings", "locked_map"};

struct cost {
  double seconds = 0;
  double megabytes = 0;
};

cost run_once(const std::string& kind, const std::string& kernel, int threads) {
  const std::string command =
      fmt::format("RACELAB_PERTURB=none {}.{} {} {}", WATCH_KERNELS, kind, kernel, threads);
  // NOLINTNEXTLINE(cert-env33-c): a command of our own
  std::unique_ptr<FILE, int (*)(FILE*)> output(popen(command.c_str(), "r"), pclose);
  std::array<char, 128> line{};
  if (!output || std::fgets(line.data(), line.size(), output.get()) == nullptr)
    throw std::runtime_error(command + ": no output");
  char* rest = nullptr;
  const double seconds = std::strtod(line.data(), &rest);
  const double kilobytes = std::strtod(rest, nullptr);
  if (seconds <= 0 || kilobytes <= 0 || pclose(output.release()) != 0)
    throw std::runtime_error(command + ": failed");
  return {.seconds = seconds, .megabytes = kilobytes * 1024 / 1e6};
}

struct row {
  std::vector<double> watch, tsan, between;  // over plain; ours over ThreadSanitizer's
  std::array<std::vector<double>, kinds.size()> megabytes;
};

row measure(const std::string& kernel, int threads, std::size_t rounds) {
  row result;
  for (std::size_t round = 0; round < rounds; ++round) {
    std::array<double, kinds.size()> seconds{};
    for (std::size_t i = 0; i < kinds.size(); ++i) {
      const std::size_t kind = (i + round) % kinds.size();
      const cost each = run_once(kinds[kind], kernel, threads);
      seconds[kind] = each.seconds;
      result.megabytes[kind].push_back(each.megabytes);
    }
    result.watch.push_back(seconds[1] / seconds[0]);
    result.tsan.push_back(seconds[2] / seconds[0]);
    result.between.push_back(seconds[1] / seconds[2]);
  }
  return result;
}

std::string shown(const std::vector<double>& ratios) {
  const auto ratio = bench::summarise(ratios);
  return fmt::format("{:.2f} [{:.2f}, {:.2f}]", ratio.median, ratio.low, ratio.high);
}

int run(std::size_t rounds, bool check) {
  fmt::print("Time over the plain program's, and resident memory at the peak; {} rounds\n{}\n\n", rounds,
             bench::this_machine());
  fmt::print("{:<11} {:>7}  {:<20} {:<20} {:<20} {:>24}\n", "kernel", "threads", "watch [95 %]",
             "tsan [95 %]", "watch / tsan [95 %]", "MB: plain, watch, tsan");
  double logarithms = 0;
  for (const char* kernel : kernels) {
    for (const int threads : {1, 2}) {
      const row measured = measure(kernel, threads, rounds);
      logarithms += std::log(bench::median_of(measured.between));
      fmt::print("{:<11} {:>7}  {:<20} {:<20} {:<20} {:>8.0f}{:>8.0f}{:>8.0f}\n", kernel, threads,
                 shown(measured.watch), shown(measured.tsan), shown(measured.between),
                 bench::median_of(measured.megabytes[0]), bench::median_of(measured.megabytes[1]),
                 bench::median_of(measured.megabytes[2]));
    }
  }
  const double mean = std::exp(logarithms / (2.0 * kernels.size()));
  const bool holds = mean <= bar;
  fmt::print("\ngeometric mean of watch / tsan: {:.3f}, bar {:.2f}: {}\n", mean, bar,
             holds ? "holds" : "BROKEN");
  return check && !holds ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  bench::arguments given{.rounds = 21, .check = false, .json = {}};
  if (!bench::read_arguments(argc, argv, "watch_bench", false, given)) return 2;
  try {
    return run(given.rounds, given.check);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "watch_bench: %s\n", error.what());
    return 2;
  }
}
