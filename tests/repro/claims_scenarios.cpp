// What a person sees of `make claims`, with claims that take seconds.
#include <string>

#include "tests/lab/fake_lab.hpp"
#include "tests/support/catch.hpp"

namespace {

using racelab::lab::trial_result;
using racelab::tests::contains;
using racelab::tests::fake_lab;

trial_result claims(const fake_lab& lab, const std::string& arguments) {
  return lab.shell("'" PYTHON "' '" CLAIMS "' " + arguments);
}

}  // namespace

SCENARIO("make claims decides what the blog post claims") {
  const fake_lab lab;
  GIVEN("two claims about programs that crash") {
    const std::string document = (lab / "claims.md").string();
    const trial_result run = claims(lab, "--build '" RACELAB_BUILD "' --document '" + document + "' 1.1 2.6");
    THEN("each has a verdict, a figure and a command, on the terminal and in the document") {
      INFO(run.standard_error);
      CHECK(run.exit_code == 0);
      CHECK(contains(run.standard_output,
                     "DOES NOT HOLD: the flag ended the whole process, exit status 2, in "));
      CHECK(contains(run.standard_output,
                     "$ build/default/bin/racelab crash crash_nil_workbuf --map seed_workbuf_pool"));
      const std::string written = lab.read("claims.md");
      CHECK(contains(written,
                     "| 1.1 | A concurrent write panics and kills the goroutine | **does not hold** | "));
      CHECK(contains(written, "| 2.6 | "));
      CHECK_FALSE(contains(written, "| 3.1 | "));
    }
  }
  GIVEN("one that gdb and a heap profile decide") {
    const trial_result run = claims(lab, "--build '" RACELAB_BUILD "' 2.3");
    THEN("both are asked") {
      INFO(run.standard_error);
      CHECK(run.exit_code == 0);
      CHECK(contains(run.standard_output, "DOES NOT HOLD: arrays of buckets allocated by hashGrow "));
      CHECK(contains(run.standard_output, "$ make buckets"));
    }
  }
  GIVEN("a claim that nobody made") {
    const trial_result run = claims(lab, "--build '" RACELAB_BUILD "' 9.9");
    THEN("that is said") {
      CHECK(run.exit_code == 2);
      CHECK(contains(run.standard_error, "no such claim: 9.9"));
    }
  }
  GIVEN("a folder where nothing is built") {
    const trial_result run = claims(lab, "--build '" + lab.folder().string() + "' 1.1");
    THEN("one line says what is missing") {
      CHECK(run.exit_code == 2);
      CHECK(contains(run.standard_error, "claims: "));
      CHECK(contains(run.standard_error, "bin/racelab: No such file or directory"));
    }
  }
}
