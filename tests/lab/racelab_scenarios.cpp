// What a person sees of the racelab command, with scenarios that do as the test says.
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "tests/lab/fake_lab.hpp"
#include "tests/support/catch.hpp"

namespace {

using nlohmann::json;
using racelab::lab::trial_result;
using racelab::tests::contains;
using racelab::tests::fake_lab;
using racelab::tests::is_gone;
using racelab::tests::lines;

/// A mistake costs one line on stderr that names it, exit code 2, and nothing on stdout.
void check_refused(const trial_result& result, const std::string& what) {
  INFO(result.standard_error);
  CHECK(result.exit_code == 2);
  CHECK(lines(result.standard_error).size() == 1);
  CHECK(contains(result.standard_error, "racelab: "));
  CHECK(contains(result.standard_error, what));
  CHECK(result.standard_output.empty());
}

/// The row of the table that starts with this map.
std::string table_row(const std::string& output, const std::string& map) {
  for (const std::string& line : lines(output)) {
    if (line.starts_with("  " + map + " ")) return line;
  }
  return "";
}

constexpr auto crash_when_stalled =
    "[ \"$RACELAB_PERTURB\" = stall ] || exit 0\n"
    "[ \"$RACELAB_TRACEBACK\" = none ] || printf 'fatal error: unexpected signal\\n\\n"
    "thread 2 [running]:\\nracelab::hmap::erase(...)\\n\\trepro/support/hmap/hmap.hpp:210 +0x5c\\n' >&2\n"
    "kill -SEGV $$";

}  // namespace

SCENARIO("racelab list shows every scenario with its story") {
  GIVEN("a catalogue of two scenarios") {
    fake_lab lab;
    lab.scenario("crash_delete", "exit 0", {"hmap", "unordered_map"});
    lab.scenario("norace_spin", "exit 0");
    WHEN("it is listed") {
      const trial_result result = lab.racelab({"list"});
      THEN("each comes with its maps and its sentence") {
        CHECK(result.exit_code == 0);
        CHECK(result.standard_output ==
              "crash_delete  (hmap, unordered_map)\n  The story of crash_delete.\n"
              "norace_spin  (hmap)\n  The story of norace_spin.\n");
      }
    }
    WHEN("it is listed as JSON on stdout") {
      const json document = json::parse(lab.racelab({"list", "--json", "-"}).standard_output);
      THEN("a program can read the same") {
        CHECK(document.at("version").get<int>() == 1);
        CHECK(document.at("scenarios").at(0).at("name").get<std::string>() == "crash_delete");
        CHECK(document.at("scenarios").at(0).at("maps").dump() == R"(["hmap","unordered_map"])");
        CHECK(document.at("scenarios").at(1).at("story").get<std::string>() == "The story of norace_spin.");
      }
    }
  }
}

SCENARIO("racelab crash shows that a bug happens every time when threads are stalled, and not without") {
  GIVEN("a scenario that crashes under the perturbation only") {
    fake_lab lab;
    lab.scenario("crash_delete", crash_when_stalled);
    WHEN("it is run") {
      const trial_result result = lab.racelab({"crash", "--trials", "20"});
      THEN("the table has its rate and the one without perturbation, and a stack closes it") {
        INFO(result.standard_output << result.standard_error);
        CHECK(result.exit_code == 0);
        CHECK(contains(result.standard_output, "crash_delete\n  The story of crash_delete.\n"));
        const std::string row = table_row(result.standard_output, "hmap");
        CHECK(contains(row, "100.0 %  [83.9, 100.0]"));
        CHECK(contains(row, "0.0 %  [0.0, 16.1]"));
        CHECK(contains(result.standard_output, "crash_delete over hmap: crash\n"));
        CHECK(contains(result.standard_output, "again: racelab crash crash_delete --map hmap --trial-seed "));
        CHECK(contains(result.standard_output, "thread 2 [running]:\nracelab::hmap::erase(...)\n\trepro/"));
        CHECK_FALSE(contains(result.standard_output, "\x1b"));
        CHECK(result.standard_error.empty());
      }
    }
    WHEN("it is run without the stall") {
      const trial_result result = lab.racelab({"crash", "--trials", "20", "--perturb", "none"});
      THEN("nothing happens, and nothing was expected to") {
        CHECK(result.exit_code == 0);
        CHECK(contains(table_row(result.standard_output, "hmap"), "  0.0 %"));
        CHECK_FALSE(contains(result.standard_output, "unperturbed"));
      }
    }
    WHEN("it is run without the trials beside") {
      const trial_result result = lab.racelab({"crash", "--trials", "5", "--no-baseline"});
      THEN("they aren't in the table") {
        CHECK(result.exit_code == 0);
        CHECK_FALSE(contains(result.standard_output, "unperturbed"));
      }
    }
  }
}

SCENARIO("racelab crash tells each kind of failure from the others") {
  GIVEN("a scenario for each outcome") {
    fake_lab lab;
    lab.scenario("crash_a", "kill -ABRT $$", {"crashes"});
    lab.scenario("corrupt_b", "echo 'corrupt: 49 keys and not 50'; exit 1", {"breaks"});
    lab.scenario("misuse_c", "echo 'fatal error: concurrent map writes' >&2; exit 2", {"stops"});
    lab.scenario("hang_d", "exec sleep 1000", {"hangs"}, "100");
    lab.scenario("norace_e", "exit 0", {"works"});
    WHEN("all are run, and every kept trial is asked for") {
      const trial_result result = lab.racelab(
          {"crash", "--trials", "3", "--no-baseline", "--traces", "--json", (lab / "out.json").string()});
      INFO(result.standard_output << result.standard_error);
      THEN("each is counted in its column") {
        CHECK(result.exit_code == 0);
        const json rows = json::parse(lab.read("out.json")).at("rows");
        REQUIRE(rows.size() == 5);
        const char* const columns[] = {"crash", "corrupt", "fatal", "hang", "intact"};
        for (std::size_t i = 0; i < rows.size(); ++i)
          CHECK(rows[i].at("outcomes").at(columns[i]).get<int>() == 3);
        CHECK(rows[3].at("median_ms_to_failure").get<double>() >= 100);
      }
      THEN("what the failing ones said is shown") {
        CHECK(contains(result.standard_output, "corrupt_b over breaks: corrupt\n"));
        CHECK(contains(result.standard_output, "corrupt: 49 keys and not 50\n"));
        CHECK(contains(result.standard_output, "fatal error: concurrent map writes\n"));
        CHECK_FALSE(contains(result.standard_output, "norace_e over works"));
      }
    }
  }
}

SCENARIO("racelab crash says when what it saw is not what was expected") {
  GIVEN("a crash that doesn't happen, a clean program that fails, and one that speaks no protocol") {
    fake_lab lab;
    lab.scenario("crash_never", "exit 0");
    lab.scenario("norace_fails", "kill -SEGV $$");
    lab.scenario("crash_mute", "exit 3");
    const auto run = [&](std::vector<std::string> arguments) {
      arguments.insert(arguments.begin(), {"crash", "--trials", "4", "--no-baseline"});
      return lab.racelab(arguments);
    };
    WHEN("the crash doesn't happen") {
      const trial_result result = run({"crash_never"});
      THEN("the exit code is 1 and a line names it") {
        CHECK(result.exit_code == 1);
        CHECK(result.standard_error ==
              "racelab: crash_never over hmap, --perturb stall: 0 of 4 trials failed, expected are at least "
              "99 %\n");
      }
    }
    WHEN("no rate is expected") {
      THEN("the exit code is 0") {
        CHECK(run({"crash_never", "--expect-rate", "0"}).exit_code == 0);
        CHECK(run({"crash_never", "--perturb", "yield"}).exit_code == 0);
      }
    }
    WHEN("a clean program fails") {
      THEN("that is never right") {
        CHECK(run({"norace_fails"}).exit_code == 1);
        CHECK(run({"norace_fails", "--perturb", "none"}).exit_code == 1);
      }
    }
    WHEN("a program speaks no protocol") {
      const trial_result result = run({"crash_mute", "--expect-rate", "0"});
      THEN("its trials are counted apart and shown") {
        CHECK(result.exit_code == 1);
        CHECK(contains(result.standard_output, "no protocol"));
        CHECK(contains(result.standard_error, "4 of 4 trials spoke no protocol (exit 3)"));
      }
    }
  }
}

SCENARIO("a seed repeats what the perturbation chose") {
  GIVEN("a scenario that notes its seed") {
    fake_lab lab;
    const std::string seeds = (lab / "seeds").string();
    lab.scenario("corrupt_x", "echo $RACELAB_SEED >> " + seeds + "; echo 'corrupt: x'; exit 1");
    const auto seeds_of = [&](std::vector<std::string> arguments) {
      std::filesystem::remove(seeds);
      arguments.insert(arguments.begin(), {"crash", "--no-baseline"});
      CHECK(lab.racelab(arguments).exit_code == 0);
      const std::vector<std::string> all = lines(lab.read("seeds"));
      return std::multiset<std::string>(all.begin(), all.end());
    };
    WHEN("a run has the seed of another") {
      const auto first = seeds_of({"--trials", "10", "--seed", "7"});
      THEN("its trials have the same seeds, each its own") {
        CHECK(first.size() == 10);
        CHECK(std::set<std::string>(first.begin(), first.end()).size() == 10);
        CHECK(seeds_of({"--trials", "10", "--seed", "7", "--jobs", "3"}) == first);
        CHECK(seeds_of({"--trials", "10", "--seed", "8"}) != first);
        CHECK(seeds_of({"--trials", "10"}) != seeds_of({"--trials", "10"}));
      }
      THEN("one of them is repeated alone by its own seed") {
        CHECK(seeds_of({"--trial-seed", *first.begin()}) == std::multiset<std::string>{*first.begin()});
      }
    }
  }
}

SCENARIO("racelab crash writes one JSON document") {
  GIVEN("a scenario over two maps") {
    fake_lab lab;
    lab.scenario("crash_delete", crash_when_stalled, {"hmap", "unordered_map"});
    WHEN("the document goes to stdout") {
      const trial_result result = lab.racelab({"crash", "--trials", "2", "--json", "-"});
      THEN("nothing else does: the table is on stderr") {
        const json document = json::parse(result.standard_output);
        CHECK(document.at("rows").size() == 4);
        CHECK(document.at("rows").at(0).at("failing_trial").at("has_trace").get<bool>());
        CHECK(contains(result.standard_error, "crash_delete"));
      }
    }
    WHEN("the disk is full") {
      const trial_result result = lab.racelab({"crash", "--trials", "2", "--json", "/dev/full"});
      THEN("the table is there, and one line says why the document isn't") {
        CHECK(result.exit_code == 2);
        CHECK(contains(table_row(result.standard_output, "hmap"), "100.0 %"));
        CHECK(result.standard_error == "racelab: /dev/full: No space left on device\n");
      }
    }
    WHEN("writing breaks off in the middle") {
      const std::string file = (lab / "out.json").string();
      lab.write("out.json", "old");
      const trial_result result =
          lab.shell("trap '' XFSZ; ulimit -f 0; exec $RACELAB crash --trials 2 --json " + file);
      THEN("the old document is still whole") {
        CHECK(result.exit_code == 2);
        CHECK(result.standard_error == "racelab: " + file + ": File too large\n");
        CHECK(lab.read("out.json") == "old");
        for (const auto& entry : std::filesystem::directory_iterator(lab / "")) {
          CHECK(entry.path().extension() != ".tmp");
        }
      }
    }
    WHEN("the folder isn't there") {
      const trial_result result = lab.racelab({"crash", "--json", (lab / "none" / "out.json").string()});
      THEN("that is said before anything runs") { check_refused(result, "No such file or directory"); }
    }
    WHEN("stdout is full") {
      const trial_result result = lab.shell("$RACELAB list > /dev/full");
      THEN("that isn't passed over") { check_refused(result, "stdout: No space left on device"); }
    }
  }
}

SCENARIO("Ctrl-C shows what there is and leaves nothing behind") {
  GIVEN(
      "a scenario whose fourth trial interrupts racelab and then hangs, with a child in a session of its "
      "own") {
    fake_lab lab;
    const std::string pids = (lab / "pids").string();
    const std::string pipe = (lab / "pipe").string();
    const auto commands = [&](const std::string& signal) {
      return "echo x >> " + (lab / "count").string() + "\n" +  //
             "if [ $(wc -l < " + (lab / "count").string() +
             ") -lt 4 ]; then echo 'corrupt: x'; exit 1; fi\n" + "echo $$ >> " + pids + "; mkfifo " + pipe +
             "\n" + "setsid sh -c 'echo $$ >> " + pids + "; echo > " + pipe + "; exec sleep 1000' &\n" +
             "read line < " + pipe + "; kill -" + signal + " $PPID; exec sleep 1000";
    };
    const auto check = [&](const std::string& signal, int exit_code) {
      lab.scenario("corrupt_x", commands(signal));
      const trial_result result =
          lab.racelab({"crash", "--jobs", "1", "--trials", "10", "--json", (lab / "out.json").string()});
      INFO(result.standard_output << result.standard_error);
      CHECK(result.exit_code == exit_code);
      CHECK(contains(table_row(result.standard_output, "hmap"), "  3  "));
      CHECK(contains(result.standard_output, "interrupted"));
      const json document = json::parse(lab.read("out.json"));
      CHECK(document.at("interrupted").get<bool>());
      CHECK(document.at("rows").size() == 1);
      CHECK(document.at("rows").at(0).at("trials").get<int>() == 3);
      const std::vector<std::string> all = lines(lab.read("pids"));
      REQUIRE(all.size() == 2);
      for (const std::string& pid : all) CHECK(is_gone(pid));
    };
    WHEN("it is Ctrl-C") {
      THEN("the exit code is 130") { check("INT", 130); }
    }
    WHEN("it is SIGTERM") {
      THEN("the exit code is 143") { check("TERM", 143); }
    }
  }
}

SCENARIO("a mistake costs one line and exit code 2") {
  GIVEN("a catalogue of one scenario") {
    fake_lab lab;
    lab.scenario("crash_x", "exit 0");
    WHEN("the arguments are wrong") {
      THEN("the line says which") {
        check_refused(lab.racelab({}), "A subcommand is required");
        check_refused(lab.racelab({"smash"}), "no command 'smash'");
        check_refused(lab.racelab({"crash", "crush_x"}), "no scenario 'crush_x'");
        check_refused(lab.racelab({"crash", "--map", "tree"}), "'tree'");
        check_refused(lab.racelab({"crash", "--perturb", "stal"}), "stal");
        check_refused(lab.racelab({"crash", "--trials", "0"}), "trials");
        check_refused(lab.racelab({"crash", "--trials", "-1"}), "trials");
        check_refused(lab.racelab({"crash", "--trials", "ten"}), "ten");
        check_refused(lab.racelab({"crash", "--jobs", "0"}), "jobs");
        check_refused(lab.racelab({"crash", "--timeout", "0"}), "timeout");
        check_refused(lab.racelab({"crash", "--seed", "-1"}), "'-1' is not a number");
        check_refused(lab.racelab({"crash", "--seed", "99999999999999999999"}), "is not a number");
        check_refused(lab.racelab({"crash", "--seed", "1", "--trial-seed", "2"}), "trial-seed");
        check_refused(lab.racelab({"crash", "--expect-rate", "99"}), "expect-rate");
        check_refused(lab.racelab({"crash", "--what"}), "--what");
      }
    }
    WHEN("a program isn't built") {
      std::filesystem::remove(lab / "crash_x");
      THEN("the line names it") {
        check_refused(lab.racelab({"crash"}), (lab / "crash_x").string() + ": No such file or directory");
      }
    }
    WHEN("the catalogue is cut off") {
      const std::string text = lab.read("catalogue.json");
      lab.write("catalogue.json", text.substr(0, text.size() / 2));
      THEN("the line names the file and the place") {
        check_refused(lab.racelab({"list"}), (lab / "catalogue.json").string() + ": parse error at line ");
        check_refused(lab.racelab({"crash"}), ", column ");
      }
    }
    WHEN("there is no catalogue") {
      THEN("the line names where it was looked for") {
        check_refused(lab.racelab({"list", "--catalogue", "/nowhere/catalogue.json"}),
                      "/nowhere/catalogue.json: No such file or directory");
      }
    }
  }
}

SCENARIO("a terminal gets colours and a progress line") {
  GIVEN("a scenario and a terminal") {
    fake_lab lab;
    lab.scenario("crash_delete", crash_when_stalled);
    const auto on_terminal = [&](const std::string& environment) {
      // script(1) runs a command on a terminal of its own.
      return lab.shell("TERM=xterm " + environment + " script -qec \"$RACELAB crash --trials 5\" /dev/null")
          .standard_output;
    };
    WHEN("the table is printed there") {
      const std::string output = on_terminal("");
      THEN("it is coloured, and progress was shown") {
        CHECK(contains(output, "\x1b[1mcrash_delete\x1b[0m"));
        CHECK(contains(output, "row 1 of 2: crash_delete over hmap"));
      }
    }
    WHEN("NO_COLOR is set") {
      const std::string output = on_terminal("NO_COLOR=1");
      THEN("it isn't coloured") {
        CHECK(contains(output, "crash_delete"));
        CHECK_FALSE(contains(output, "\x1b[1m"));
        CHECK_FALSE(contains(output, "\x1b[2m"));
      }
    }
  }
}

SCENARIO("racelab explains itself") {
  GIVEN("no catalogue at all") {
    fake_lab lab;
    WHEN("help or the version is asked for") {
      THEN("it is given, with examples") {
        CHECK(lab.racelab({"--version"}).standard_output.starts_with("racelab "));
        const trial_result help = lab.racelab({"crash", "--help"});
        CHECK(help.exit_code == 0);
        for (const char* part : {"Examples:", "--perturb", "--trials", "--json", "--trial-seed"}) {
          CHECK(contains(help.standard_output, part));
        }
        CHECK(contains(lab.racelab({"--help"}).standard_output, "crash"));
      }
    }
  }
}
