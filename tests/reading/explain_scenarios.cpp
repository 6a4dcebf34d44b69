// `racelab explain` as a person sees it.
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "lab/explain_core.hpp"
#include "lab/files.hpp"
#include "lab/perturbation.hpp"
#include "lab/trials.hpp"
#include "tests/lab/fake_lab.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/run_tool.hpp"

namespace {

using namespace racelab::lab;
using racelab::tests::contains;
using racelab::tests::has_tools;
using racelab::tests::run_tool;

namespace fs = std::filesystem;

trial_result explain(std::vector<std::string> arguments, const fs::path& from) {
  trial_request request;
  request.program = RACELAB_COMMAND;
  request.arguments = std::move(arguments);
  request.arguments.insert(request.arguments.begin(), "explain");
  request.environment = {racelab::tests::usual_path};
  request.working_folder = from;
  request.memory_limit = 0;
  request.timeout = std::chrono::seconds(60);
  return run_trial(request);
}

const fs::path reading = READING;

}  // namespace

SCENARIO("racelab explain annotates what real tools print") {
  GIVEN("logs of the lab, of Go, of sanitizers, gdb and glibc") {
    unsigned logs = 0;
    for (const auto& entry : fs::directory_iterator(reading / "logs")) {
      if (entry.path().extension() != ".log") continue;
      ++logs;
      const std::string name = entry.path().stem();
      THEN(name + " is explained as the golden file has it (renewed by make-logs.sh)") {
        const trial_result result =
            explain({"../logs/" + name + ".log", "--source-root", "../../.."}, reading / "programs");
        CHECK(result.exit_code == 0);
        CHECK(result.standard_output == content_of(reading / "logs" / (name + ".txt")));
      }
    }
    CHECK(logs >= 10);
  }
}

SCENARIO("racelab explain shows where the chain broke") {
  GIVEN("a run of the work buffers' pool that crashed") {
    const trial_result crash =
        run_tool(RACELAB_COMMAND, {"crash", "crash_nil_workbuf", "--trials", "1", "--no-baseline", "--traces",
                                   "--catalogue", RACELAB_CATALOGUE_FILE});
    REQUIRE(contains(crash.standard_output, "SIGSEGV"));
    const temporary_folder folder;
    std::ofstream(folder / "crash.log") << crash.standard_output;
    WHEN("its trace is explained") {
      const trial_result result =
          explain({(folder / "crash.log").string(), "--json", (folder / "crash.json").string()}, SOURCES);
      THEN("the table goes from the use to the function that returned null, and nobody checks") {
        REQUIRE(result.exit_code == 0);
        const auto document = nlohmann::json::parse(content_of(folder / "crash.json"));
        const auto& way = document.at("crashes").at(0).at("null_way");
        REQUIRE(way.size() == 3);
        CHECK(way[0].at("risk") == "fatal");
        CHECK(contains(way[0].at("function").get<std::string>(), "grow_work"));
        CHECK(contains(way[1].at("function").get<std::string>(), "drain_one"));
        CHECK(way[1].at("checks") == false);
        CHECK(way[2].at("function") == "get_full");
        CHECK(way[2].at("source") == true);
      }
    }
  }
}

SCENARIO("racelab explain asks gdb") {
  if (!has_tools({"gdb"})) return;
  GIVEN("a program that uses a null pointer") {
    WHEN("it is run again under gdb") {
      const trial_result result =
          explain({"../logs/address_null.log", "--program", NULL_CHAIN, "--again"}, reading / "programs");
      THEN("the null was seen on its way") {
        CHECK(result.exit_code == 0);
        CHECK(contains(result.standard_output,
                       "the thread that died was last given null in (anonymous namespace)::drain"));
      }
    }
    WHEN("its core file is explained") {
      const temporary_folder folder;
      const fs::path core = folder / "core";
      (void)run_tool(found_in_path("gdb"), {"-nx", "-batch", "-ex", "set startup-with-shell off", "-ex",
                                            "run", "-ex", "generate-core-file " + core.string(), NULL_CHAIN});
      REQUIRE(is_core_file(core));
      const trial_result result =
          explain({core.string(), "--program", NULL_CHAIN, "--source-root", SOURCES}, folder.path());
      THEN("the failed thread, the address and the chain are told") {
        CHECK(result.exit_code == 0);
        CHECK(contains(result.standard_output, "The address 0x4 is on the first page"));
        CHECK(contains(result.standard_output, "which is what get_full() returned"));
      }
      AND_THEN("with another program there is one line of error") {
        const trial_result wrong = explain({core.string(), "--program", RACELAB_COMMAND}, folder.path());
        CHECK(wrong.exit_code == 2);
        CHECK(contains(wrong.standard_error, "is not of the program"));
      }
    }
  }
}

SCENARIO("racelab explain says in words what the bytes of a broken map tell") {
  if (!has_tools({"gdb"})) return;
  GIVEN("a core file of a program whose maps are broken, each in its own way") {
    const temporary_folder folder;
    const fs::path core = folder / "core";
    std::vector<std::string> environment = telling_heap();
    environment.emplace_back(racelab::tests::usual_path);
    (void)run_tool(found_in_path("gdb"),
                   {"-nx", "-batch", "-ex", "set startup-with-shell off", "-ex", "run", "-ex",
                    "generate-core-file " + core.string(), BROKEN_MAPS},
                   environment);
    REQUIRE(is_core_file(core));
    const trial_result result =
        explain({core.string(), "--program", BROKEN_MAPS, "--json", "explained.json"}, folder.path());
    INFO(result.standard_output);
    REQUIRE(result.exit_code == 0);
    const auto maps =
        nlohmann::json::parse(content_of(folder / "explained.json")).at("crashes").at(0).at("maps");
    const auto findings_of = [&maps](const std::string& name) {
      for (const auto& each : maps)
        if (each.at("name") == name + " in main, thread 1") return each.at("findings").dump();
      return std::string("no such map");
    };
    THEN("a sound one has no finding") {
      CHECK(findings_of("sound") == "[]");
      CHECK(findings_of("sound_buckets") == "[]");
      CHECK(contains(result.standard_output, "sound in main, thread 1: std::unordered_map<…> at 0x"));
    }
    THEN("a count that is wrong is held against a walk") {
      CHECK(findings_of("miscounted") == R"(["its count says 4 entries, a walk finds 6"])");
      CHECK(findings_of("miscounted_buckets") == R"(["its count says 9 entries, a walk finds 6"])");
    }
    THEN("a freed node and a freed bucket array are known by their bytes") {
      CHECK(contains(findings_of("freed"), "is a freed node: 0xa5 again and again"));
      CHECK(contains(findings_of("freed_buckets"), "is freed memory: 1 bucket of 1 holds 0xa5"));
    }
    THEN("a ring is told") { CHECK(contains(findings_of("ring"), "its list goes back to 0x")); }
  }
}

SCENARIO("racelab explain refuses what it can't read in one line") {
  const temporary_folder folder;
  std::ofstream(folder / "well.log") << "all is well\n";
  std::ofstream(folder / "empty.log") << "";
  std::ofstream(folder / "short.core") << "\177ELF";
  for (const std::string input : {"well.log", "empty.log", "short.core", "missing.log", "."}) {
    GIVEN(input) {
      const trial_result result = explain({input}, folder.path());
      CHECK(result.exit_code == 2);
      CHECK(contains(result.standard_error, "racelab: "));
      CHECK(contains(result.standard_error, input));
      CHECK(result.standard_error.find('\n') == result.standard_error.size() - 1);
    }
  }
}
