// What a person sees of `racelab judge` and `racelab replay`, on programs that are awkward to run and on those of the corpus.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "lab/statistics.hpp"
#include "tests/lab/fake_lab.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/hardware_breakpoints.hpp"

namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using racelab::lab::trial_result;
using racelab::lab::wilson95;
using racelab::tests::contains;
using racelab::tests::fake_lab;
using racelab::tests::is_gone;
using racelab::tests::lines;

std::string program(const std::string& name) { return JUDGED_PROGRAMS "/" + name; }

/// `--watch FILE -- PROGRAM` of the corpus, whose programs lie in folders of their kinds.
std::string of_corpus(const std::string& name) {
  return "--watch " CORPUS_PROGRAMS "/watch/" + name + " -- " CORPUS_PROGRAMS "/tsan/" + name;
}

struct judged {
  trial_result run;
  json document;

  [[nodiscard]] std::string verdict() const { return document.at("verdict"); }
  [[nodiscard]] const json& first() const { return document.at("reports").at(0); }
  /// `end`: of its detail.
  [[nodiscard]] bool has_evidence(const std::string& type, const std::string& end = "") const {
    for (const json& report : document.at("reports"))
      for (const json& item : report.at("evidence"))
        if (item.at("type") == type && item.at("detail").get<std::string>().ends_with(end)) return true;
    return false;
  }
};

/// Judges what `rest` says: options and the program. `before` stands before the command: a variable, a change of folder.
judged judge(const fake_lab& lab, const std::string& rest, const std::string& before = "") {
  const std::string file = (lab / "judged.json").string();
  judged result;
  result.run = lab.shell(before + " $RACELAB judge --seed 1 --json " + file + " " + rest);
  const std::string text = lab.read("judged.json");
  UNSCOPED_INFO(result.run.standard_output << result.run.standard_error);
  if (!text.empty()) result.document = json::parse(text);
  return result;
}

bool has_archer() {
  for (const auto& each : fs::directory_iterator("/usr/lib"))
    if (each.path().filename().string().starts_with("llvm-") &&
        fs::exists(each.path() / "lib" / "libarcher.so"))
      return true;
  return false;
}

void refused(const trial_result& result, const std::string& what) {
  INFO(result.standard_output << result.standard_error);
  CHECK(result.exit_code == 2);
  CHECK(lines(result.standard_error).size() == 1);
  CHECK(contains(result.standard_error, what));
}

/// One that nobody listens on at the moment.
std::string free_port() {
  const int probe = socket(AF_INET, SOCK_STREAM, 0);
  REQUIRE(probe >= 0);
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof where;
  REQUIRE(bind(probe, reinterpret_cast<const sockaddr*>(&where), size) == 0);
  REQUIRE(getsockname(probe, reinterpret_cast<sockaddr*>(&where), &size) == 0);
  close(probe);
  return std::to_string(ntohs(where.sin_port));
}

/// The keys that the document always has, and what stands there for a race in tests/verdict/programs/counter.hpp.
void check_document(const judged& result) {
  for (const char* key : {"program", "seconds", "verdict", "seed", "tsan_runs", "watch_runs", "interrupted",
                          "notes", "reports"})
    CHECK(result.document.contains(key));
  CHECK(result.verdict() == "confirmed");
  const json& report = result.first();
  for (const char* key : {"id", "kind", "title", "reported", "seen", "sites", "verdict", "reason", "cause",
                          "consequence", "evidence", "trials", "caught", "value", "recipe"})
    CHECK(report.contains(key));
  REQUIRE(report.at("sites").size() == 2);
  for (const json& site : report.at("sites")) {
    CHECK(site.at("file") == "tests/verdict/programs/counter.hpp");
    CHECK(site.at("line") == 9);
    CHECK(site.at("function") == "racelab::judged::add_to(…)");
    CHECK(site.at("size") == 8);
  }
  CHECK(report.at("reported") == true);
  CHECK(report.at("caught").size() == 2);
  CHECK(result.has_evidence("caught"));
  CHECK(result.has_evidence("forced-runs"));
}

void check_sarif(const fake_lab& lab, const fs::path& file) {
  const trial_result checked = lab.shell("'" PYTHON
                                         "' -c 'import json, sys, jsonschema; "
                                         "jsonschema.Draft4Validator(json.load(open(sys.argv[1]))).validate("
                                         "json.load(open(sys.argv[2])))' '" SARIF_SCHEMA "' '" +
                                         file.string() + "'");
  INFO(checked.standard_error);
  CHECK(checked.exit_code == 0);
  const json run = json::parse(lab.read(file.filename())).at("runs").at(0);
  CHECK(run.at("results").at(0).at("ruleId") == "confirmed");
  CHECK(run.at("results").at(0).at("properties").at("verdict") == "confirmed");
}

/// From another folder, with the variable that a recipe does not keep.
void check_recipe(const fake_lab& lab, const judged& result) {
  const bool full = std::getenv("RACELAB_FULL_BARS") != nullptr;
  const std::size_t trials = full ? 100 : 10;
  const trial_result again =
      lab.shell("cd / && JUDGED_VARIABLE=set $RACELAB replay '" + (lab / "race.json").string() +
                "' --json '" + (lab / "again.json").string() + "' --trials " + std::to_string(trials));
  INFO(again.standard_output << again.standard_error);
  const json document = json::parse(lab.read("again.json"));
  const auto caught = document.at("caught").get<std::size_t>();
  CHECK(document.at("trials") == trials);
  CHECK(document.at("report") == result.first().at("id"));
  if (full)
    CHECK(caught >= 99);
  else
    CHECK(wilson95(caught, trials).high >= 0.99);
  CHECK(again.exit_code == (caught == trials ? 0 : 1));
}

}  // namespace

SCENARIO("racelab judge runs a program as it wants to be run") {
  const fake_lab lab;
  GIVEN("a program that wants an argument, a variable, an input and a file in its working directory") {
    lab.write("here.txt", "");
    lab.write("input.txt", "input\n");
    const std::string command = "--budget 4 --stdin input.txt --recipe race.json --sarif race.sarif -- " +
                                program("demanding") + " '--race it'";
    const std::string here = "cd '" + (lab / "").string() + "' && ";
    WHEN("it gets all of them") {
      const judged result = judge(lab, command, here + "JUDGED_VARIABLE=set");
      THEN("its race is confirmed in text, JSON, SARIF and a recipe") {
        CHECK(result.run.exit_code == 1);
        CHECK(contains(result.run.standard_output, "confirmed: data race"));
        CHECK(contains(result.run.standard_output, ", stopped before its "));
        CHECK(contains(result.run.standard_output, ": racelab replay race.json\n"));
        check_document(result);
        check_sarif(lab, lab / "race.sarif");
        check_recipe(lab, result);
      }
    }
    WHEN("it lacks one of them") {
      const judged result = judge(lab, command, here);
      THEN("there is nothing to judge, and that is no failure") {
        CHECK(result.run.exit_code == 0);
        CHECK(result.verdict() == "no-report");
      }
    }
  }
  GIVEN("a server that is told its port") {
    WHEN("it ends after some requests") {
      const judged result = judge(lab, "--budget 4 -- " + program("server") + " " + free_port());
      THEN("each run gets the port, and the race is confirmed") {
        CHECK(result.run.exit_code == 1);
        CHECK(result.document.at("notes").empty());
      }
    }
    WHEN("it never ends") {
      const judged result =
          judge(lab, "--budget 20 -- " + program("server") + " " + free_port() + " forever");
      THEN("each run is ended, that is noted, and the race is confirmed all the same") {
        CHECK(result.run.exit_code == 1);
        REQUIRE(result.document.at("notes").size() == 1);
        CHECK(contains(result.document.at("notes").at(0).get<std::string>(), "did not end by itself"));
        CHECK(result.document.at("seconds").get<double>() < 40);
      }
    }
  }
}

SCENARIO("racelab judge copes with what programs do") {
  const fake_lab lab;
  const auto confirms = [&](const std::string& name, const std::string& budget) {
    judged result = judge(lab, "--budget " + budget + " -- " + program(name));
    CHECK(result.run.exit_code == 1);
    REQUIRE(result.verdict() == "confirmed");
    return result;
  };
  GIVEN("one whose race is in a forked child") {
    THEN("it is confirmed") { confirms("forking", "4"); }
  }
  GIVEN("one that takes a second to start") {
    THEN("it is confirmed") { confirms("slow_start", "20"); }
  }
  GIVEN("one whose threads come and go by the thousand") {
    THEN("it is confirmed") { confirms("many_threads", "6"); }
  }
  GIVEN("one that hangs under a stall") {
    const judged result = confirms("impatient", "6");
    THEN("that is the consequence, and it does not hold up the judge") {
      CHECK(result.first().at("consequence") == "hang");
      CHECK(result.document.at("seconds").get<double>() < 40);
    }
  }
  GIVEN("one that crashes anyway") {
    const judged result = confirms("crashing", "4");
    THEN("that is noted, and the race is not blamed for it") {
      REQUIRE(result.document.at("notes").size() == 1);
      CHECK(contains(result.document.at("notes").at(0).get<std::string>(),
                     "dies when nothing is stalled, too"));
      CHECK(result.first().at("consequence") == "none-seen");
    }
  }
}

SCENARIO("Ctrl-C ends racelab judge, which leaves nothing behind") {
  const fake_lab lab;
  GIVEN("a program whose third run interrupts racelab and then hangs, with a child in a session of its own") {
    fs::create_directory(lab / "temporary");
    const std::string pids = (lab / "pids").string();
    const judged result = judge(lab, "--budget 60 -- " + program("stopping") + " " + pids,
                                "TMPDIR=" + (lab / "temporary").string());
    THEN("what is known is told, and no process and no file stays") {
      CHECK(result.run.exit_code == 130);
      CHECK(contains(result.run.standard_output, "interrupted"));
      CHECK(result.document.at("interrupted").get<bool>());
      const std::vector<std::string> all = lines(lab.read("pids"));
      CHECK(all.size() == 4);
      for (const std::string& pid : all) CHECK(is_gone(pid));
      CHECK(fs::is_empty(lab / "temporary"));
    }
  }
}

SCENARIO("a mistake with racelab judge costs one line and exit code 2") {
  const fake_lab lab;
  THEN("no such program") {
    refused(lab.racelab({"judge", "--", (lab / "none").string()}), "none: No such file or directory");
  }
  THEN("a program that ThreadSanitizer can't run") {
#ifdef __clang__
    const std::string dying = "ERROR: ThreadSanitizer";
#else
    const std::string dying = "ThreadSanitizer: CHECK failed";
#endif
    refused(lab.shell("ulimit -v 4000000; $RACELAB judge -- " + program("forking")),
            "forking: it does not run under ThreadSanitizer: " + dying);
  }
  THEN("no program linked with the watchpoint runtime") {
    lab.script("lonely", "exit 0");
    refused(lab.racelab({"judge", "--", (lab / "lonely").string()}), "there is no lonely.watch");
  }
  THEN("a log without reports") {
    lab.write("ci.log", "all is well\n");
    refused(lab.racelab({"judge", "--report", (lab / "ci.log").string(), "--", program("forking")}),
            "ci.log: no report of ThreadSanitizer in it");
  }
  THEN("a log that can't be read") {
    refused(lab.racelab({"judge", "--report", (lab / "").string(), "--", program("forking")}),
            "Is a directory");
  }
  THEN("a folder for the document that isn't there, which is said before anything runs") {
    const trial_result result =
        lab.racelab({"judge", "--json", (lab / "none" / "x.json").string(), "--", program("slow_start")});
    refused(result, "No such file or directory");
    CHECK(result.standard_output.empty());
  }
  THEN("a full disk, but what was found is told") {
    const trial_result result =
        lab.racelab({"judge", "--budget", "1", "--json", "/dev/full", "--", program("forking")});
    refused(result, "/dev/full: No space left on device");
    CHECK(contains(result.standard_output, "runs under ThreadSanitizer"));
  }
  THEN("a full disk for the recipe, but what was found is told") {
    const trial_result result =
        lab.racelab({"judge", "--budget", "4", "--recipe", "/dev/full", "--", program("forking")});
    refused(result, "/dev/full: No space left on device");
    CHECK(contains(result.standard_output, "confirmed: data race"));
  }
}

SCENARIO("racelab replay refuses what its recipe is not for") {
  const fake_lab lab;
  GIVEN("a recipe for a program") {
    fs::copy_file(program("forking"), lab / "copy");
    fs::copy_file(program("forking.watch"), lab / "copy.watch");
    const std::string recipe = (lab / "race.json").string();
    const judged result = judge(lab, "--budget 4 --recipe " + recipe + " -- " + (lab / "copy").string());
    REQUIRE(result.run.exit_code == 1);
    REQUIRE(fs::exists(recipe));
    WHEN("the program has changed") {
      fs::copy_file(program("crashing.watch"), lab / "copy.watch", fs::copy_options::overwrite_existing);
      THEN("it is not run") { refused(lab.racelab({"replay", recipe}), "copy.watch has changed since"); }
    }
    WHEN("the program is gone") {
      fs::remove(lab / "copy.watch");
      THEN("that is said") { refused(lab.racelab({"replay", recipe}), "copy.watch: No such file"); }
    }
  }
  GIVEN("a file that is none") {
    lab.write("race.json", "{}");
    THEN("that is said") { refused(lab.racelab({"replay", (lab / "race.json").string()}), "no recipe"); }
  }
}

SCENARIO("racelab judge says of the corpus what its labels say") {
  const fake_lab lab;
  const auto verdict_of = [&](const std::string& name, const std::string& budget) {
    return judge(lab, "--budget " + budget + " " + of_corpus(name));
  };
  GIVEN("threads that meet at one element of a thousand") {
    THEN("it is confirmed") { CHECK(verdict_of("race_edge_of_ranges", "6").verdict() == "confirmed"); }
  }
  GIVEN("a race whose sides run once") {
    THEN("it is confirmed") { CHECK(verdict_of("race_settings_read_once", "6").verdict() == "confirmed"); }
  }
  GIVEN("writes inside of a library that is not instrumented") {
    const judged result = verdict_of("race_list_hooks", "6");
    THEN("a value that changed under a stall is the evidence, without a report of ThreadSanitizer") {
      if (!racelab::tests::has_hardware_breakpoints()) {
        WARN("SKIPPED: this machine gives a process no hardware breakpoints, so who wrote can't be told");
        return;
      }
      CHECK(result.verdict() == "confirmed");
      CHECK(result.has_evidence("changed"));
      CHECK_FALSE(result.first().at("reported").get<bool>());
      CHECK(
          result.has_evidence("unseen-writer",
                              "std::__detail::_List_node_base::_M_transfer(…) of libstdc++.so.6 wrote there, "
                              "which is not instrumented"));
    }
  }
  GIVEN("a lock whose word changes under who waits for it, by assembly") {
    const judged result = verdict_of("norace_asm_ticket_lock", "10");
    THEN("that is no proof of a race") { CHECK(result.verdict() != "confirmed"); }
  }
  GIVEN("a lock in inline assembly") {
    const judged result = verdict_of("norace_asm_lock", "10");
    THEN("the other thread waits, in the lock") {
      CHECK(result.run.exit_code == 0);
      CHECK(result.verdict() == "likely-false");
      CHECK(result.first().at("cause") == "asm-lock");
      CHECK(result.has_evidence("delay"));
    }
  }
  GIVEN("a pipe that is read by raw system calls") {
    const judged result = verdict_of("norace_raw_pipe", "10");
    THEN("the other thread waits, in the call") {
      CHECK(result.verdict() == "likely-false");
      CHECK(result.first().at("cause") == "raw-syscall");
    }
  }
  GIVEN("a critical section of OpenMP") {
    if (!fs::exists(CORPUS_PROGRAMS "/watch/norace_openmp_critical")) {
      WARN("SKIPPED: this compiler has no OpenMP");
    } else {
      const judged result = verdict_of("norace_openmp_critical", "15");
      THEN("the other thread waits") { CHECK(result.verdict() == "likely-false"); }
      THEN("Archer knows of the order") {
        if (has_archer())
          CHECK(result.has_evidence("vanishes", "with Archer"));
        else
          WARN("SKIPPED: there is no Archer in /usr/lib/llvm-*/lib");
      }
    }
  }
  GIVEN("a publication by fences") {
    const judged result = verdict_of("norace_fence_publication", "6");
    THEN("its report hangs on the order alone") {
      CHECK(result.verdict() == "ordering-only");
      CHECK(result.has_evidence("vanishes"));
      const std::string reason = result.first().at("reason");
      CHECK(contains(reason, "the release fence in "));
      CHECK(contains(reason, "norace_fence_publication.cpp:"));
      CHECK(contains(reason, "the order holds on every machine"));
    }
  }
  GIVEN("a publication by a store that is too weak") {
    const std::string reason = verdict_of("race_relaxed_publication", "6").first().at("reason");
    THEN("it is named, with its other end") {
      CHECK(contains(reason, "the relaxed operation in "));
      CHECK(contains(reason, "does not release what came before it"));
      CHECK(contains(reason, "does not acquire what comes after it"));
      CHECK(contains(reason, "a weaker machine"));
    }
  }
  GIVEN("a mutex") {
    const judged result = verdict_of("norace_mutex", "3");
    THEN("there is nothing to judge") {
      CHECK(result.run.exit_code == 0);
      CHECK(result.verdict() == "no-report");
      CHECK(result.document.at("reports").empty());
    }
  }
  GIVEN("two orders of locks under a third one") {
    const judged result = verdict_of("norace_lock_order_gate", "3");
    THEN("the gate keeps them apart") {
      CHECK(result.verdict() == "likely-false");
      CHECK(result.first().at("cause") == "gate-lock");
    }
  }
  GIVEN("two orders of locks that end in a deadlock") {
    const judged result = verdict_of("hang_lock_order", "6");
    THEN("both threads are caught waiting") {
      CHECK(result.verdict() == "confirmed");
      CHECK(result.has_evidence("deadlock"));
      CHECK(result.first().at("caught").size() == 2);
    }
  }
}
