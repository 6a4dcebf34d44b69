// The server program, which `racelab serve` starts.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <exception>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <system_error>

#include "bench/support/machine.hpp"
#include "serve/arguments.hpp"
#include "serve/bare.hpp"
#include "serve/collapse_monitor.hpp"
#include "serve/metrics.hpp"
#include "serve/server.hpp"
#include "serve/store.hpp"
#include "stacks/capture.hpp"
#include "stacks/processors.hpp"

namespace {

using namespace racelab::serve;

std::chrono::milliseconds milliseconds(double seconds) {
  return std::chrono::round<std::chrono::milliseconds>(std::chrono::duration<double>(seconds));
}

int refused(const std::string& why) {
  fmt::print(stderr, "racelab: serve: {}\n", why);
  return 2;
}

int print_bare(store& map, const arguments& given) {
  const double throughput = bare_throughput(map, given.preload, given.threads, given.bare_seconds);
  const nlohmann::ordered_json result{{"map", given.map},
                                      {"threads", given.threads},
                                      {"operations_per_s", throughput},
                                      {"machine", racelab::bench::this_machine()}};
  fmt::print("{}\n", result.dump());
  return 0;
}

int serve_map(store& map, const arguments& given) {
  counters counted(given.threads);
  std::optional<server> serving;
  try {
    serving.emplace(given.map, map, counted,
                    server_options{.address = given.address,
                                   .port = given.port,
                                   .threads = given.threads,
                                   .body_limit = given.body_limit,
                                   .header_limit = given.header_limit,
                                   .idle_timeout = milliseconds(given.idle_seconds)});
  } catch (const std::system_error& error) {
    return refused(error.what());
  }
  std::optional<collapse_monitor> monitor;
  if (!given.no_collapse) {
    racelab::stacks::prepare_capture();
    monitor_options options;
    options.period = milliseconds(given.collapse_period);
    options.rule.processors = racelab::stacks::usable_processors();
    options.folder = given.collapse_folder;
    monitor.emplace(
        options, [&counted] { return counted.operations(); },
        [&counted](const collapse_report& report) {
          counted.collapses.fetch_add(1, std::memory_order_relaxed);
          fmt::print(stderr, "racelab: serve: {}\n", said(report));
        },
        [](const std::string& why) { fmt::print(stderr, "racelab: serve: contention collapse: {}\n", why); });
  }
  fmt::print("racelab: serving {} at {} by {} threads\n", given.map, serving->url(), given.threads);
  if (std::fflush(stdout) != 0) return refused("stdout can't be written");
  serving->run();
  return 0;
}

int run(int argc, char** argv) {
  CLI::App app("Serve a map over HTTP: GET, PUT and DELETE /kv/{key}, GET /metrics.", "racelab serve");
  arguments given;
  add_arguments(app, given);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help
    return refused(fmt::format("{} (racelab serve --help)", error.what()));
  }
  if (given.list) {
    fmt::print("{}\n", fmt::join(map_names(), "\n"));
    return 0;
  }
  if (given.map.empty()) return refused("which map? --map NAME (racelab serve --list)");
  if (given.threads == 0) given.threads = racelab::stacks::usable_processors();
  const auto map = make_store(given.map);
  if (map == nullptr)
    return refused(fmt::format("no map '{}': there are {}", given.map, fmt::join(map_names(), ", ")));
  if (given.bare_seconds > 0 && given.preload == 0)
    return refused("--bare needs keys to look up: --preload N");
  preload(*map, given.preload);
  return given.bare_seconds > 0 ? print_bare(*map, given) : serve_map(*map, given);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    return refused(error.what());
  }
}
