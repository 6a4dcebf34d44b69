#include "bench/support/program.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <filesystem>

#include "bench/support/machine.hpp"

namespace racelab::bench {
int answer(int argc, char** argv, const question& asked) {
  settings chosen;
  CLI::App app(asked.asked, asked.name);
  app.option_defaults()->always_capture_default();
  app.add_option("--rounds", chosen.rounds, "rounds that count; the first one warms up and doesn't")
      ->check(CLI::Range(std::size_t{6}, std::size_t{10'000}));
  app.add_option("--seconds", chosen.seconds, "of each cell in a round, at least")
      ->check(CLI::Range(0.001, 60.0));
  app.add_option("--results", chosen.folder, "a folder for CSV, JSON and plots (SVG and PNG)");
  app.add_option("--only", chosen.only, "only these contenders, with commas between them")->delimiter(',');
  app.add_option("--where", chosen.where,
                 "only the points that have these words, such as \"threads=4 reads=95\"");
  app.add_option("--from", chosen.from, "a folder of --results: tells again what was measured then")
      ->excludes("--results", "--only", "--where");
  app.add_flag("--quick", chosen.quick, "the smallest cells alone: shows that it runs, not what it costs");
  app.footer(
      fmt::format("A value is the median of the rounds; intervals are of 95 %.\n\n  {0}\n  {0} --rounds 21 "
                  "--results build/results",
                  asked.name));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  try {
    if (!chosen.from.empty()) {
      const results measured = results::read_from(chosen.from, asked.name);
      fmt::print("{}\n{}\n{}, told again\n", asked.asked, measured.machine(), asked.name);
      asked.tell(measured);
      return 0;
    }
    std::string csv;
    if (!chosen.folder.empty()) {
      std::filesystem::create_directories(chosen.folder);
      csv = chosen.folder + "/" + asked.name + ".csv";
    }
    fmt::print("{}\n{}\n{}, {} rounds of {} s a cell\n", asked.asked, this_machine(), asked.name,
               chosen.rounds, chosen.seconds);
    std::fflush(stdout);
    rounds all(asked.name, chosen.only, chosen.where);
    asked.plan(all, chosen);
    const results measured = all.run(chosen.rounds, csv);
    asked.tell(measured);
    if (!chosen.folder.empty()) {
      measured.write_json_in(chosen.folder);  // the CSV is there already
      bool drawn = true;
      for (const plot& each : asked.plots) drawn = draw(each, measured, chosen.folder) && drawn;
      std::string plots = drawn ? " and plots" : "; SKIPPED: some plots (no gnuplot, or no such cells)";
      if (asked.plots.empty()) plots.clear();
      fmt::print("\n{}/{}.csv, .json{}\n", chosen.folder, asked.name, plots);
    }
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}: {}\n", asked.name, error.what());
    return 2;
  }
}

}  // namespace racelab::bench
