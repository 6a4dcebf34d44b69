// What does watching cost: the write flag, the watchpoint runtime where nothing is stalled, ThreadSanitizer and Helgrind?
//
//   watch_bench [--rounds N] [--results DIR] [--check]
//
// Programs of one source: compiled with -O1; with the write flag around its hash maps; with -O1 -fsanitize=thread, and that one
// object linked with our runtime (RACELAB_PERTURB=none) and with the compiler's; and the plain one under valgrind's Helgrind. A
// round runs each once, in an order that turns, and gives the ratios of their times. The bar is on the ratio of the two
// runtimes' times: at most 0.5 for the geometric mean of all kernels. --check: exit 1 if it is broken; without Helgrind, which
// has no bar and takes minutes.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "bench/support/arguments.hpp"
#include "bench/support/machine.hpp"
#include "bench/support/paired.hpp"
#include "bench/support/plot.hpp"
#include "bench/support/results.hpp"

namespace {

using namespace racelab;

constexpr double bar = 0.5;
constexpr std::size_t helgrind_rounds =
    6;  // the fewest that have a 95 % interval; one takes up to ten seconds
constexpr std::array<const char*, 6> kernels{"stream", "chase", "sort", "own_map", "strings", "locked_map"};

enum kind : std::size_t { plain, flag, watch, tsan, helgrind };
constexpr std::array<const char*, 5> kinds{"plain", "flag", "watch", "tsan", "helgrind"};

bool has_map(std::string_view kernel) {
  return kernel == "own_map" || kernel == "strings" || kernel == "locked_map";
}

struct cost {
  double seconds = 0;
  double megabytes = 0;
};

cost run_once(kind how, const std::string& kernel, int threads) {
  const bool by_valgrind = how == helgrind;
  const std::string command =
      fmt::format("RACELAB_PERTURB=none {}{}.{} {} {}",
                  by_valgrind ? "valgrind --tool=helgrind -q --log-file=/dev/null " : "", WATCH_KERNELS,
                  kinds[by_valgrind ? plain : how], kernel, threads);
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
  std::array<std::vector<double>, kinds.size()> over_plain;
  std::array<std::vector<double>, kinds.size()> megabytes;
  std::vector<double> between;  // the watchpoint runtime's over ThreadSanitizer's
};

row measure(const std::string& kernel, int threads, std::size_t rounds, bool with_helgrind) {
  row result;
  for (std::size_t round = 0; round < rounds; ++round) {
    std::array<double, kinds.size()> seconds{};
    for (std::size_t i = 0; i < kinds.size(); ++i) {
      const auto how = static_cast<kind>((i + round) % kinds.size());
      if (how == flag && !has_map(kernel)) continue;
      if (how == helgrind && (!with_helgrind || round >= helgrind_rounds)) continue;
      const cost each = run_once(how, kernel, threads);
      seconds[how] = each.seconds;
      result.megabytes[how].push_back(each.megabytes);
    }
    for (const kind how : {flag, watch, tsan, helgrind})
      if (seconds[how] != 0) result.over_plain[how].push_back(seconds[how] / seconds[plain]);
    result.between.push_back(seconds[watch] / seconds[tsan]);
  }
  return result;
}

std::string shown(const std::vector<double>& ratios) {
  if (ratios.empty()) return "-";
  const auto ratio = bench::summarise(ratios);
  return fmt::format("{:.2f} [{:.2f}, {:.2f}]", ratio.median, ratio.low, ratio.high);
}

std::string megabytes(const row& of, kind how) {
  return of.megabytes[how].empty() ? "-" : fmt::format("{:.0f}", bench::median_of(of.megabytes[how]));
}

// Of one kernel, and drawn for the map that one thread has for itself.
void keep(const row& measured, const std::string& kernel, int threads, bench::results& all) {
  for (const kind how : {flag, watch, tsan, helgrind})
    for (const double ratio : measured.over_plain[how])
      all.add(kinds[how], fmt::format("kernel={} threads={}", kernel, threads), "over_plain", ratio);
}

void write(const bench::results& all, const std::string& folder) {
  all.write_csv_in(folder);
  all.write_json_in(folder);
  const bool drawn =
      bench::draw({.file = "watch_own_map",
                   .title = "The same loop over a hash map, watched: time over the plain program's",
                   .where = "kernel=own_map threads=1",
                   .quantity = "over_plain",
                   .unit = "times",
                   .by_ten = true},
                  all, folder);
  fmt::print("\n{}/watch_bench.csv, .json{}\n", folder,
             drawn ? " and a plot" : "; SKIPPED: the plot, there is no gnuplot");
}

int run(std::size_t rounds, bool check, const std::string& folder) {
  // NOLINTNEXTLINE(cert-env33-c): a command of our own
  const bool has_helgrind = !check && std::system("valgrind --version > /dev/null 2>&1") == 0;
  fmt::print("Time over the plain program's, and resident memory at the peak in MB; {} rounds{}\n{}\n\n",
             rounds, has_helgrind ? fmt::format(", {} of Helgrind", std::min(rounds, helgrind_rounds)) : "",
             bench::this_machine());
  if (!check && !has_helgrind) fmt::print("SKIPPED: Helgrind, there is no valgrind here\n\n");
  fmt::print("{:<10} {:>7}  {:<18} {:<18} {:<20} {:<22} {:<18} {:>5} {:>5} {:>5} {:>5} {:>8}\n", "kernel",
             "threads", "flag [95 %]", "watch [95 %]", "tsan [95 %]", "helgrind [95 %]", "watch / tsan",
             "plain", "flag", "watch", "tsan", "helgrind");
  double logarithms = 0;
  bench::results all("watch_bench");
  for (const char* kernel : kernels) {
    for (const int threads : {1, 2}) {
      const row measured = measure(kernel, threads, rounds, has_helgrind);
      logarithms += std::log(bench::median_of(measured.between));
      keep(measured, kernel, threads, all);
      fmt::print("{:<10} {:>7}  {:<18} {:<18} {:<20} {:<22} {:<18} {:>5} {:>5} {:>5} {:>5} {:>8}\n", kernel,
                 threads, shown(measured.over_plain[flag]), shown(measured.over_plain[watch]),
                 shown(measured.over_plain[tsan]), shown(measured.over_plain[helgrind]),
                 shown(measured.between), megabytes(measured, plain), megabytes(measured, flag),
                 megabytes(measured, watch), megabytes(measured, tsan), megabytes(measured, helgrind));
      std::fflush(stdout);
    }
  }
  const double mean = std::exp(logarithms / (2.0 * kernels.size()));
  const bool holds = mean <= bar;
  fmt::print("\ngeometric mean of watch / tsan: {:.3f}, bar {:.2f}: {}\n", mean, bar,
             holds ? "holds" : "BROKEN");
  if (!folder.empty()) write(all, folder);
  return check && !holds ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  bench::arguments given{.rounds = 21};
  if (const auto end = bench::read_arguments(
          argc, argv,
          {.name = "watch_bench",
           .asked = "What does watching cost: the write flag, the watchpoint runtime where nothing is "
                    "stalled, ThreadSanitizer and Helgrind?",
           .bar = "exit 1 if our runtime takes more than 0.5 of ThreadSanitizer's time; without Helgrind"},
          given))
    return *end;
  return bench::exit_code_of("watch_bench", [&] { return run(given.rounds, given.check, given.folder); });
}
