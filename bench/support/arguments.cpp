#include "bench/support/arguments.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

namespace racelab::bench {

std::optional<int> read_arguments(int argc, char** argv, const paired_program& program, arguments& into) {
  CLI::App app(program.asked, program.name);
  app.option_defaults()->always_capture_default();
  app.add_option("--rounds", into.rounds, "rounds that count")
      ->check(CLI::Range(std::size_t{6}, std::size_t{100'000}));
  app.add_option("--results", into.folder, "a folder for CSV and JSON");
  if (program.writes_json) app.add_option("--json", into.json, "a file for JSON");
  app.add_flag("--check", into.check, program.bar);
  app.footer(fmt::format("{0}\n  {0} --rounds 21 --results build/results", program.name));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (program.writes_json && into.json.empty() && !into.folder.empty())
    into.json = into.folder + "/" + program.name + ".json";
  return std::nullopt;
}

}  // namespace racelab::bench
