// `racelab crash --core DIR` as a person sees it: core files that gdb opens.
#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "lab/catalogue.hpp"
#include "lab/crash_core.hpp"
#include "lab/files.hpp"
#include "tests/lab/fake_lab.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/run_tool.hpp"

namespace {

using namespace racelab::lab;
using racelab::tests::contains;
using racelab::tests::fake_lab;
using racelab::tests::has_tools;
using racelab::tests::run_tool;
using racelab::tests::usual_path;

std::string backtraces(const std::filesystem::path& program, const std::filesystem::path& core) {
  return run_tool(found_in_path("gdb"),
                  {"-nx", "-batch", "-ex", "thread apply all backtrace", program.string(), core.string()})
      .standard_output;
}

/// The core file of a run with one row that failed.
kept_core kept(const temporary_folder& folder, const crash_run& run, const crash_settings& settings,
               std::string_view core_pattern) {
  const core_run cores = keep_cores(run, settings, folder.path(), core_pattern, [](const std::string&) {});
  REQUIRE(cores.cores.size() == 1);
  return cores.cores[0];
}

/// The same of a scenario over a map, as `racelab crash` leaves it with this core_pattern of the kernel.
kept_core kept(const temporary_folder& folder, const std::string& scenario, const std::string& map,
               std::string_view core_pattern) {
  crash_settings settings;
  settings.trials = 1;
  settings.baseline = false;
  settings.traceback = "none";
  settings.seed = 1;
  const auto chosen =
      select_maps(select_scenarios(read_catalogue(RACELAB_CATALOGUE_FILE).scenarios, {scenario}), {map});
  const crash_run run = run_crash(plan_crash(chosen, settings), settings, {});
  return kept(folder, run, settings, core_pattern);
}

}  // namespace

SCENARIO("racelab crash --core keeps a core file of a failing run") {
  if (!has_tools({"gdb"})) return;
  GIVEN("the blog post's program, run for a core file") {
    const temporary_folder folder;
    const trial_result result =
        run_tool(RACELAB_COMMAND,
                 {"crash", "crash_concurrent_delete", "--map", "unordered_map", "--trials", "1",
                  "--no-baseline", "--core", (folder / "cores").string()},
                 {usual_path, "RACELAB_CATALOGUE=" RACELAB_CATALOGUE_FILE});
    INFO(result.standard_output << result.standard_error);
    THEN("gdb opens it, and its stack is in the scenario") {
      CHECK(result.exit_code == 0);
      const std::string name = "crash_concurrent_delete.unordered_map";
      const std::filesystem::path core = folder / "cores" / (name + ".core");
      const std::string text = content_of(folder / "cores" / (name + ".txt"));
      const std::string program =
          (std::filesystem::path(RACELAB_CATALOGUE_FILE).parent_path() / "programs/watch" / name).string();
      CHECK(contains(result.standard_output,
                     "\n  gdb " + program + " " + std::filesystem::canonical(core).string() + "\n"));
      CHECK(contains(text, "crash_concurrent_delete over unordered_map: crash\nprogram: " + program + "\n"));
      CHECK(contains(text, "again: racelab crash crash_concurrent_delete --map unordered_map --trial-seed "));
      CHECK(contains(text, "  RACELAB_PERTURB=stall\n"));
      const std::string stacks = backtraces(program, core);
      INFO(stacks);
      CHECK(contains(stacks, "repro/crash_concurrent_delete.cpp:"));
    }
  }
}

SCENARIO("where the kernel makes no core file gdb does") {
  if (!has_tools({"gdb"})) return;
  const temporary_folder folder;
  GIVEN("a run that finds its map corrupt") {
    const kept_core core = kept(folder, "corrupt_lost_insert", "unordered_map", "core");
    THEN("it is caught while the map is there") {
      CHECK(core.what == outcome::corrupt);
      CHECK(contains(core.made_by, "gdb: a failing run exited"));
      CHECK(contains(backtraces(core.program, core.core), "repro/corrupt_lost_insert.cpp:"));
    }
  }
  GIVEN("a run that the write flag ends") {
    const kept_core core = kept(folder, "corrupt_lost_insert", "hmap", "core");
    THEN("it is caught in the map") {
      CHECK(core.what == outcome::fatal);
      CHECK(contains(backtraces(core.program, core.core), "repro/corrupt_lost_insert.cpp:"));
    }
  }
  GIVEN("a kernel that hands core files to a program, and a crash") {
    const kept_core core =
        kept(folder, "crash_concurrent_delete", "unordered_map", "|/usr/lib/systemd/systemd-coredump %P\n");
    THEN("it says so, and stops at the very access") {
      CHECK(core.what == outcome::crash);
      CHECK(core.made_by ==
            "gdb: /proc/sys/kernel/core_pattern hands core files to a program "
            "(|/usr/lib/systemd/systemd-coredump %P)");
      CHECK(contains(backtraces(core.program, core.core), "repro/crash_concurrent_delete.cpp:"));
    }
  }
  GIVEN("a kernel that puts core files elsewhere, and a run that hangs") {
    crash_row row;
    row.scenario = "hang_spinner";
    row.program.map = "none";
    row.program.plain = RACELAB_SPINNER;
    row.perturb = perturbation::none;
    row.timeout = std::chrono::milliseconds(300);
    row.kept.emplace().what = outcome::hang;
    const kept_core core = kept(folder, {.rows = {row}}, {}, "/var/crash/core.%p");
    THEN("it is interrupted where it spins") {
      CHECK(core.what == outcome::hang);
      CHECK(contains(core.made_by,
                     "gdb: /proc/sys/kernel/core_pattern puts core files elsewhere (/var/crash/core.%p)"));
      CHECK(contains(backtraces(core.program, core.core), "spinner.cpp:"));
    }
  }
}

SCENARIO("racelab crash --core says when there is no core file") {
  const fake_lab lab;
  fake_lab scenarios;
  const auto crash = [&] {
    return scenarios.racelab({"crash", "--trials", "1", "--no-baseline", "--core", (lab / "cores").string()},
                             {"PATH=/nowhere"});
  };
  GIVEN("a run that ends by itself, and no gdb") {
    scenarios.scenario("misuse_a", "echo 'fatal error: concurrent map writes' >&2; exit 2");
    THEN("one line names the package") {
      const trial_result result = crash();
      CHECK(result.exit_code == 2);
      CHECK(result.standard_error == "racelab: --core needs gdb here (apt-get install gdb)\n");
      CHECK(contains(result.standard_output, "no core of misuse_a.hmap: a failing run exited, "));
    }
  }
  GIVEN("a scenario that does not fail") {
    scenarios.scenario("norace_a", "exit 0");
    THEN("there is nothing to keep") {
      const trial_result result = crash();
      CHECK(result.exit_code == 0);
      CHECK(contains(result.standard_output, "\nnothing failed: no core\n"));
      CHECK(std::filesystem::is_empty(lab / "cores"));
    }
  }
  GIVEN("a folder that can't be one") {
    scenarios.scenario("norace_a", "exit 0");
    lab.write("cores", "a file");
    THEN("that is said before anything runs") {
      const trial_result result = crash();
      CHECK(result.exit_code == 2);
      CHECK(contains(result.standard_error, "cores"));
      CHECK(result.standard_output.empty());
    }
  }
}
