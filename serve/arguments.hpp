// Arguments: what `racelab serve` takes. The command checks them before it starts the server, which reads them again, so that a
// typing error is told, and --help helps, where the server is not built yet.
#pragma once

#include <CLI/CLI.hpp>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

namespace racelab::serve {

struct arguments {
  std::string map;
  bool list = false;
  std::uint16_t port = 8080;
  std::string address = "127.0.0.1";
  unsigned threads = 0;  // one for each processor
  std::uint64_t body_limit = 1U << 20U;
  std::uint32_t header_limit = 8U << 10U;
  double idle_seconds = 60;
  std::filesystem::path collapse_folder = "racelab-collapse";
  double collapse_period = 1;
  bool no_collapse = false;
  std::size_t preload = 0;
  double bare_seconds = 0;
};

inline void add_arguments(CLI::App& command, arguments& into) {
  command.add_option("--map", into.map, "The map to serve: a remedy, or a contender of the benchmarks")
      ->type_name("NAME");
  command.add_flag("--list", into.list, "Show the maps' names, and serve nothing");
  command.add_option("--port", into.port, "The port to listen on; 0 for any that is free (default: 8080)")
      ->type_name("P")
      ->check(CLI::Range(0U, 65'535U));
  command
      .add_option("--address", into.address,
                  "The address to listen on (default: 127.0.0.1, which other machines can't reach)")
      ->type_name("IP");
  command.add_option("--threads", into.threads, "Threads that serve (default: one for each processor)")
      ->type_name("N")
      ->check(CLI::Range(1U, 1024U));
  command.add_option("--body-limit", into.body_limit, "Bytes that a value may have (default: 1048576)")
      ->type_name("BYTES")
      ->check(CLI::Range(std::uint64_t{0}, std::uint64_t{1} << 30U));
  command
      .add_option("--header-limit", into.header_limit,
                  "Bytes that a request's header may have (default: 8192)")
      ->type_name("BYTES")
      ->check(CLI::Range(256U, 1U << 20U));
  command
      .add_option("--idle-timeout", into.idle_seconds,
                  "Seconds until a connection that sends nothing, or too slowly, is closed (default: 60)")
      ->type_name("S")
      ->check(CLI::Range(0.001, 86'400.0));
  command
      .add_option(
          "--collapse-dir", into.collapse_folder,
          "Where a contention collapse is written down (default: racelab-collapse; made when there is one)")
      ->type_name("DIR");
  command
      .add_option("--collapse-period", into.collapse_period,
                  "Seconds over which throughput and CPU use are compared (default: 1)")
      ->type_name("S")
      ->check(CLI::Range(0.01, 3'600.0));
  command.add_flag("--no-collapse", into.no_collapse, "Don't watch for a collapse");
  command.add_option("--preload", into.preload, "Keys key-0, key-1 ... to store beforehand (default: 0)")
      ->type_name("N")
      ->check(CLI::Range(std::size_t{0}, std::size_t{10'000'000}));
  command
      .add_option("--bare", into.bare_seconds,
                  "Serve nothing: do the mix of `make bench-http` on the map itself for so long, and print "
                  "how fast it was")
      ->type_name("S")
      ->check(CLI::Range(0.01, 3'600.0));
  command.footer(
      "Examples:\n"
      "  racelab serve --map sharded_map --port 8080\n"
      "  curl -X PUT --data-binary 1 http://127.0.0.1:8080/kv/a; curl http://127.0.0.1:8080/kv/a\n"
      "  curl http://127.0.0.1:8080/metrics\n"
      "  racelab serve --map mutex_map --port 0        any free port; the one line on stdout names it\n"
      "Exit codes: 0 stopped by SIGINT or SIGTERM, 2 wrong usage, or the port can't be had.\n"
      "docs/serve.md: the requests, the metrics, and what is written down of a contention collapse.\n");
}

}  // namespace racelab::serve
