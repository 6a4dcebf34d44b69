// `make buckets` as a person sees it, and the pretty printers in a session of gdb.
#include <regex>
#include <string>
#include <vector>

#include "lab/files.hpp"
#include "repro/support/hmap/hmap.hpp"
#include "tests/lab/fake_lab.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/run_tool.hpp"

namespace {

using racelab::lab::content_of;
using racelab::lab::found_in_path;
using racelab::lab::trial_result;
using racelab::tests::contains;
using racelab::tests::fake_lab;
using racelab::tests::has_tools;
using racelab::tests::lines;
using racelab::tests::run_tool;
using racelab::tests::usual_path;

const std::string scripts = RACELAB_GDB_SCRIPTS;

trial_result buckets(const fake_lab& place, const std::string& path = usual_path) {
  // Not what PATH has, which may be a script that looks for tools there itself.
  static const std::string python =
      lines(run_tool(RACELAB_PYTHON, {"-c", "import sys; print(sys.executable)"}).standard_output).at(0);
  return run_tool(
      python,
      {scripts + "/buckets.py", "--program", RACELAB_BUCKETS_WALK, "--output", (place / "out").string()},
      {path});
}

/// A row of the closing table: blocks and bytes as gdb counted them, then as the heap profile did.
std::string row(const std::string& output, const std::string& what, const std::string& function) {
  std::smatch found;
  const std::regex pattern(what + " +" + function + R"( +(\d+) +(\d+) +(\d+) +(\d+)\n)");
  if (!std::regex_search(output, found, pattern)) return "";
  return found[1].str() + " " + found[2].str() + " " + found[3].str() + " " + found[4].str();
}

/// What `print` shows of an hmap, as hmap::dump() writes it: without the number of the value, addresses and sizes.
std::string as_dumped(const std::string& printed) {
  static const std::regex number(R"(\(gdb\) print h\n\$\d+ = )");
  static const std::regex table(R"(((?:old)?buckets) 0x[0-9a-f]+: \d+ of \d+ bytes)");
  return std::regex_replace(std::regex_replace(printed, number, ""), table, "$1");
}

/// Prints of a session that stops at the third moment of buckets_walk, after these commands.
std::string session(const std::vector<std::string>& commands) {
  std::vector<std::string> arguments = {"-nx", "-batch",       "-ex", "source " + scripts + "/racelab.py",
                                        "-ex", "break moment", "-ex", "run",
                                        "-ex", "continue"};
  for (const std::string& command : commands) arguments.insert(arguments.end(), {"-ex", command});
  arguments.emplace_back(RACELAB_BUCKETS_WALK);
  return run_tool(found_in_path("gdb"), arguments).standard_output;
}

}  // namespace

SCENARIO("make buckets shows a moving bucket array in two views whose numbers agree") {
  if (!has_tools({"gdb", "google-pprof", "dot"})) return;
  GIVEN("the walk, as gdb and the heap profiler see it") {
    const fake_lab place;
    const trial_result result = buckets(place);
    const std::string& said = result.standard_output;
    INFO(said << result.standard_error);
    CHECK(result.exit_code == 0);
    CHECK(contains(said, "both views agree"));

    // Arrays of 2, 4, 8 and 16 + 1 buckets, each with 32 bytes before them; the first one has a single bucket.
    constexpr std::size_t header = 32;
    constexpr std::size_t bucket = sizeof(racelab::bmap<std::string, int>);
    const std::string grown = "4 " + std::to_string(4 * header + 31 * bucket);
    const std::string first = "1 " + std::to_string(header + bucket);
    CHECK(row(said, "hmap: array", "hashGrow") == grown + " " + grown);
    CHECK(row(said, "hmap: array", "mapassign") == first + " " + first);
    CHECK(row(said, "hmap: array", "growWork") == "0 0 0 0");

    // The pretty printer reads what the map says of itself.
    const trial_result dumped = run_tool(RACELAB_BUCKETS_WALK, {"--dump"});
    for (const std::string moment :
         {"before growth", "the growth has begun", "after growth", "after the next growth"}) {
      const std::size_t begin = dumped.standard_output.find(moment + "\n");
      REQUIRE(begin != std::string::npos);
      const std::size_t rows = begin + moment.size() + 1;
      std::size_t end = rows;
      for (const std::string& each : lines(dumped.standard_output.substr(rows))) {
        const bool of_map = each.starts_with("count ") || each.starts_with("  ") || each.ends_with("buckets");
        if (!of_map) break;
        end += each.size() + 1;
      }
      INFO(moment);
      CHECK(
          contains(as_dumped(said), "== " + moment + "\n" + dumped.standard_output.substr(rows, end - rows)));
    }

    // The pointer that dangles is the array from before growth.
    std::smatch before;
    std::smatch saved;
    REQUIRE(std::regex_search(said, before, std::regex("== before growth\n.*\n.*\nbuckets (0x[0-9a-f]+):")));
    REQUIRE(std::regex_search(said, saved, std::regex("\nsaved = (0x[0-9a-f]+)\n")));
    CHECK(before[1] == saved[1]);
    CHECK(contains(said, "  allocated by hashGrow\n  freed by advanceEvacuationMark\n"));
    CHECK(contains(said, "a5 a5 a5 a5 a5 a5 a5 a5 (MALLOC_PERTURB_'s"));
    if (contains(said, "no watchpoint (")) {
      WARN("SKIPPED: this machine has no watchpoints, so the use is shown by the breakpoint before it");
    } else {
      CHECK(contains(said, "caught at its use: thread 2 has read " + saved[1].str() +
                               "\nreader_looks at repro/support/hmap/"));
    }

    const std::string picture = content_of(place / "out" / "allocations.svg");
    CHECK(contains(picture, "<svg"));
    CHECK(contains(picture, "hashGrow"));
  }
}

SCENARIO("make buckets does not hide that its views differ, nor that a tool is missing") {
  if (!has_tools({"gdb", "google-pprof", "dot"})) return;
  GIVEN("a heap profile that counts an array too many") {
    const fake_lab place;
    place.script("google-pprof", "case \"$*\" in\n*--collapsed*) " + found_in_path("google-pprof").string() +
                                     " \"$@\" | sed '/bucket_array/s/ 1$/ 2/' ;;\nesac");
    const trial_result result = buckets(place, "PATH=" + place.folder().string() + ":/usr/bin:/bin");
    THEN("it says so, and fails") {
      INFO(result.standard_output << result.standard_error);
      CHECK(result.exit_code == 1);
      CHECK(contains(result.standard_output, "\nthe views differ\n"));
    }
  }
  GIVEN("a machine without gdb") {
    const fake_lab place;
    const trial_result result = buckets(place, "PATH=" + place.folder().string());
    THEN("one line names the package") {
      CHECK(result.exit_code == 2);
      CHECK(result.standard_error == "buckets: there is no gdb (apt-get install gdb)\n");
    }
  }
}

SCENARIO("the pretty printers stand what a race leaves behind") {
  if (!has_tools({"gdb"})) return;
  GIVEN("a growing map that is broken on purpose") {
    const std::string said =
        session({"print *h.buckets_", "print -elements 2 -- h",  //
                 "set var h.buckets_->overflow = h.buckets_", "print h",
                 "set var h.buckets_->overflow = (void*)16", "print h",  //
                 "set var h.flags_._M_i = 5", "set var h.B_ = 165", "print h",
                 "set var standard._M_h._M_before_begin._M_nxt->_M_nxt = 8", "print standard"});
    INFO(said);
    THEN("a bucket has its keys") {
      CHECK(contains(said, "= {keys[0] = \"key-1\", elems[0] = 1, keys[1] = "));
    }
    THEN("a map in a frame's line is one line") {
      CHECK(std::regex_search(
          said, std::regex("hit Breakpoint 1, .*moment \\(.*h=count 27, .*nevacuate 2, standard=count 27")));
    }
    THEN("gdb's own limit holds") { CHECK(contains(said, "  ... and 6 more\n")); }
    THEN("a ring is no endless loop") {
      CHECK(std::regex_search(said, std::regex("  overflow: back to 0x[0-9a-f]+: a ring\n")));
    }
    THEN("a wild pointer is told") { CHECK(contains(said, "  overflow: 0x10 can't be read\n")); }
    THEN("nonsense is not believed") {
      CHECK(contains(said,
                     "flags iterator|hashWriting, B 165, noverflow 0, nevacuate 2\nno map has 2^B buckets"));
    }
    THEN("a broken chain of a std::unordered_map is shown as far as it goes") {
      CHECK(contains(said, " -> 0x8 can't be read\n"));
    }
  }
}
