// How fast are ThreadSanitizer's logs read, and with how much memory? Two logs, in a file that is gone afterwards: noise
// with a report now and then, and nothing but reports, most of them alike. The time is the processor's, which other
// programs on the machine change less than a clock on the wall.
//
//   triage_bench [--megabytes N] [--check]     --check: exit 1 below 100 MB/s, or above 64 MB at the peak
#include <fmt/format.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "bench/support/arguments.hpp"
#include "bench/support/machine.hpp"
#include "sanitizers/thread/triage.hpp"

namespace {

constexpr std::size_t piece = std::size_t{1} << 20U;
constexpr std::size_t rounds = 5;
constexpr double least_speed = 100;    // MB/s
constexpr double most_memory = 64;     // MB
constexpr std::size_t distinct = 200;  // bugs in a log

// A report of the size that std::thread and a map make it: 24 frames.
std::string report(std::size_t bug) {
  std::string text = fmt::format(
      "==================\nWARNING: ThreadSanitizer: data race (pid={})\n"
      "  Write of size 8 at 0x7b0400000{:03x} by thread T1 (mutexes: write M{}):\n",
      1000 + bug, bug, bug % 7);
  const auto stack = [&](std::string_view top) {
    text += fmt::format(
        "    #0 cache::{0}_{1}(std::basic_string<char, std::char_traits<char>, std::allocator<char>> const&, "
        "int) "
        "/home/user/project/src/cache.cpp:{1}:13 (server+0xea{1:04x}) (BuildId: "
        "3994dcdea27b7333cc6d251cdbc0c92e)\n",
        top, bug);
    for (int i = 1; i < 8; ++i) {
      text += fmt::format(
          "    #{0} void std::__invoke_impl<void, server::run()::$_{0}>(std::__invoke_other, "
          "server::run()::$_{0}&&) "
          "/usr/lib/gcc/x86_64-linux-gnu/12/../../../../include/c++/12/bits/invoke.h:61:14 "
          "(server+0xeaa{0}d) "
          "(BuildId: 3994dcdea27b7333cc6d251cdbc0c92e)\n",
          i);
    }
    text += "\n";
  };
  stack("store");
  text += fmt::format("  Previous read of size 8 at 0x7b0400000{:03x} by main thread:\n", bug);
  stack("find");
  text += "  Thread T1 'writer' (tid=32000, running) created by main thread at:\n";
  stack("start");
  text +=
      "SUMMARY: ThreadSanitizer: data race /home/user/project/src/cache.cpp:1:13 in cache::store\n"
      "==================\n";
  return text;
}

using file = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

// A file of `size` bytes and a little more, made of what `next` returns.
template <typename Next> file written(std::size_t size, Next next) {
  file log(std::tmpfile(), std::fclose);
  if (!log) throw std::system_error(errno, std::generic_category(), "a temporary file");
  std::size_t done = 0;
  for (std::size_t i = 0; done < size; ++i) {
    const std::string text = next(i);
    if (std::fwrite(text.data(), 1, text.size(), log.get()) != text.size()) {
      throw std::system_error(errno, std::generic_category(), "a temporary file");
    }
    done += text.size();
  }
  return log;
}

file all_reports(std::size_t size) {
  return written(size, [](std::size_t i) { return report(i % distinct); });
}

file mostly_noise(std::size_t size) {
  return written(size, [random = std::mt19937(1)](std::size_t i) mutable {
    const std::string line = fmt::format(
        "2026-05-01T10:00:{:02}.123Z [info] request {} took {} us, status 200, Thread pool #4 idle\n", i % 60,
        random(), random() % 10'000);
    return i % 20'000 == 0 ? line + report(i / 20'000 % distinct) : line;
  });
}

double peak_megabytes() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  return static_cast<double>(used.ru_maxrss) * 1024 / 1e6;
}

struct measured {
  double speed = 0;   // MB/s, the median of the rounds
  double memory = 0;  // MB, the program's peak
  double megabytes = 0;
  std::size_t reports = 0;
  std::size_t findings = 0;
};

double processor_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

measured read(std::FILE* log) {
  measured result;
  std::vector<double> speeds;
  std::vector<char> buffer(piece);
  for (std::size_t round = 0; round < rounds; ++round) {
    if (std::fseek(log, 0, SEEK_SET) != 0) throw std::system_error(errno, std::generic_category(), "fseek");
    racelab::tsan::triage triage;
    const double start = processor_seconds();
    triage.begin_log("log");
    while (const std::size_t size = std::fread(buffer.data(), 1, buffer.size(), log)) {
      triage.feed({buffer.data(), size});
    }
    triage.end_log();
    const double took = processor_seconds() - start;
    result.megabytes = static_cast<double>(triage.result().logs.front().bytes) / 1e6;
    speeds.push_back(result.megabytes / took);
    result.reports = triage.result().reports();
    result.findings = triage.result().findings.size();
  }
  std::ranges::nth_element(speeds, speeds.begin() + rounds / 2);
  result.speed = speeds[rounds / 2];
  result.memory = peak_megabytes();
  return result;
}

// False if a bar is missed.
bool tell(std::string_view name, const file& log) {
  const measured result = read(log.get());
  fmt::print(
      "{:<14} {:>4.0f} MB  {:>6.0f} MB/s  {:>4.0f} MB of memory at the peak  {} reports, {} distinct\n", name,
      result.megabytes, result.speed, result.memory, result.reports, result.findings);
  return result.speed >= least_speed && result.memory <= most_memory && result.reports >= result.findings &&
         result.findings > 0;
}

int run(int argc, char** argv) {
  std::size_t megabytes = 200;
  bool check = false;
  std::string ignored;
  CLI::App app("How fast are ThreadSanitizer's logs read, and with how much memory?", "triage_bench");
  app.option_defaults()->always_capture_default();
  app.add_option("--megabytes", megabytes, "of each of the two logs")
      ->check(CLI::Range(std::size_t{1}, std::size_t{100'000}));
  app.add_flag("--check", check, "exit 1 below 100 MB/s, or above 64 MB at the peak");
  // Every benchmark takes them; this one reads each log once and writes nothing.
  app.add_option("--rounds", ignored)->group("");
  app.add_option("--results", ignored)->group("");
  app.footer("triage_bench\n  triage_bench --megabytes 40 --check");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  fmt::print("{}\n", racelab::bench::this_machine());
  const bool noise = tell("mostly noise", mostly_noise(megabytes * 1'000'000));
  const bool reports = tell("all reports", all_reports(megabytes * 1'000'000));
  return check && (!noise || !reports) ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  return racelab::bench::exit_code_of("triage_bench", [&] { return run(argc, argv); });
}
