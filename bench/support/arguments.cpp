#include "bench/support/arguments.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

namespace racelab::bench {

std::optional<int> read_arguments(int argc, char** argv, const program& asked, arguments& into) {
  CLI::App app(asked.question, asked.name);
  app.option_defaults()->always_capture_default();
  app.add_option("--rounds", into.rounds, "rounds that count")
      ->check(CLI::Range(std::size_t{6}, std::size_t{100'000}));
  app.add_option("--results", into.folder, "a folder for CSV and JSON");
  if (asked.writes_json) app.add_option("--json", into.json, "a file for JSON");
  app.add_flag("--check", into.check, asked.bar);
  app.footer(fmt::format("{0}\n  {0} --rounds 21 --results build/results", asked.name));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (asked.writes_json && into.json.empty() && !into.folder.empty())
    into.json = into.folder + "/" + asked.name + ".json";
  return std::nullopt;
}

}  // namespace racelab::bench
