#include "lab/trial.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/personality.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <set>
#include <system_error>

#include "lab/crash_core.hpp"
#include "lab/files.hpp"
#include "lab/trials.hpp"
#include "tests/lab/fake_lab.hpp"

namespace racelab::lab {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class Trial : public testing::Test {
 protected:
  trial_request request(const std::string& commands) const {
    trial_request result;
    result.program = files_.script("program", commands);
    return result;
  }
  trial_result run(const std::string& commands) const { return run_trial(request(commands)); }

  tests::fake_lab files_;
};

TEST_F(Trial, ProtocolGivesTheOutcome) {
  EXPECT_EQ(run("exit 0").what, outcome::intact);
  EXPECT_EQ(run("echo 'corrupt: 49 keys and not 50'; exit 1").what, outcome::corrupt);
  EXPECT_EQ(run("echo 'fatal error: concurrent map writes' >&2; exit 2").what, outcome::fatal);
  EXPECT_EQ(run("echo 'WARNING: ThreadSanitizer: data race' >&2; exit 66").what, outcome::report);
  const trial_result crash = run("kill -SEGV $$");
  EXPECT_EQ(crash.what, outcome::crash);
  EXPECT_EQ(crash.signal, SIGSEGV);
  EXPECT_EQ(crash.exit_code, -1);
}

TEST_F(Trial, WhatSpeaksNoProtocolIsNoFailure) {
  for (const char* commands : {
           "exit 1",
           "echo 'it is corrupt: yes'; exit 1",  // not at the start of a line
           "echo 'corrupt: 1' >&2; exit 1",      // on the wrong stream
           "exit 2",
           "echo 'fatal error: x'; exit 2",
           "exit 66",
           "exit 3",
           "exit 127",
           "echo 'corrupt: 1'; exit 0",  // contradicts itself
           "kill -KILL $$",              // the out-of-memory killer's signal
           "kill -TERM $$",
       }) {
    const trial_result result = run(commands);
    EXPECT_EQ(result.what, outcome::other) << commands;
    EXPECT_FALSE(is_failure(result.what));
    EXPECT_NE(result.why, "") << commands;
  }
}

TEST_F(Trial, ProtocolLinesAreSeenInWhateverPiecesTheyCome) {
  const auto seen = [](std::initializer_list<std::string_view> pieces) {
    line_watch watch("corrupt: ");
    for (const std::string_view piece : pieces) watch.read(piece);
    return watch.seen();
  };
  EXPECT_TRUE(seen({"corrupt: x"}));
  EXPECT_TRUE(seen({"a\nb\ncor", "rup", "t: "}));
  EXPECT_TRUE(seen({"corrupt\ncorrupt: x\nmore"}));
  EXPECT_FALSE(seen({"corrupt:"}));
  EXPECT_FALSE(seen({" corrupt: x"}));
  EXPECT_FALSE(seen({"cocorrupt: x"}));
  EXPECT_FALSE(seen({"corrupt", "\n", ": "}));
}

TEST_F(Trial, SeesItsEnvironmentArgumentsAndNothingElse) {
  trial_request env = request("exec env");
  env.environment = {"ONE=1", "TWO=2"};
  const std::vector<std::string> lines = tests::lines(run_trial(env).standard_output);
  std::set<std::string> names(lines.begin(), lines.end());
  std::erase_if(names, [](const std::string& line) { return line.starts_with("PWD="); });  // the shell's own
  EXPECT_EQ(names, (std::set<std::string>{"ONE=1", "TWO=2"}));

  trial_request arguments = request("printf '%s|' \"$@\"");
  arguments.arguments = {"a b", "", "*"};
  EXPECT_EQ(run_trial(arguments).standard_output, "a b||*|");
}

TEST_F(Trial, HasNoInputNoCoreAndAGroupOfItsOwn) {
  EXPECT_EQ(run("if read line; then exit 3; fi; exit 0").what, outcome::intact);

  for (const std::string& line : tests::lines(run("exec cat /proc/self/limits").standard_output)) {
    if (!line.starts_with("Max core file size")) continue;
    const unsigned long soft = std::stoul(line.substr(std::string("Max core file size").size()));
    EXPECT_LE(soft, 1U) << line;
  }

  // stat's fifth field is the process group, and the parent's is ours.
  const std::string group = run("cut -d ' ' -f 5 /proc/$$/stat; echo $$").standard_output;
  ASSERT_EQ(tests::lines(group).size(), 2U);
  EXPECT_EQ(tests::lines(group)[0], tests::lines(group)[1]);
}

TEST_F(Trial, MayHaveACoreFileInAFolderOfItsOwn) {
  trial_request crash = request("kill -SEGV $$");
  crash.core_file = true;
  const temporary_folder place;
  crash.working_folder = place.path();
  EXPECT_EQ(run_trial(crash).what, outcome::crash);

  trial_request where = request("pwd; ulimit -S -c; ulimit -H -c");
  where.core_file = true;
  where.working_folder = place.path();
  const std::vector<std::string> said = tests::lines(run_trial(where).standard_output);
  ASSERT_EQ(said.size(), 3U);
  EXPECT_EQ(said[0], place.path().string());
  EXPECT_EQ(said[1], said[2]);
  // Where the limit and core_pattern allow one, there is one.
  if (said[2] == "unlimited" && core_obstacle(kernel_core_pattern()).empty()) {
    EXPECT_FALSE(std::filesystem::is_empty(place.path()));
  }
}

TEST_F(Trial, HasNoneOfOurOpenFiles) {
  const int ours = open("/dev/null", O_RDONLY);  // without O_CLOEXEC, as others do
  ASSERT_GE(ours, 3);
  const std::string open_files = run("ls /proc/$$/fd").standard_output;
  close(ours);
  for (const std::string& fd : tests::lines(open_files)) {
    // 10 is where a shell keeps its script.
    EXPECT_TRUE(fd == "0" || fd == "1" || fd == "2" || fd == "10") << open_files;
  }
}

TEST_F(Trial, KeepsBothStreamsUpToALimit) {
  const trial_result both = run("echo out; echo err >&2; echo out again");
  EXPECT_EQ(both.standard_output, "out\nout again\n");
  EXPECT_EQ(both.standard_error, "err\n");
  EXPECT_FALSE(both.truncated);

  const trial_request flood =
      request("head -c 3000000 /dev/zero; echo; echo 'corrupt: after the flood'; exit 1");
  const trial_result flooded = run_trial(flood);
  EXPECT_EQ(flooded.what, outcome::corrupt) << "the protocol's line counts though it isn't kept";
  EXPECT_EQ(flooded.standard_output.size(), flood.output_limit);
  EXPECT_TRUE(flooded.truncated);
}

TEST_F(Trial, LastWordsOfADyingProgramAreKept) {
  // Filled to the brim of the pipe, then dead at once.
  for (int round = 0; round < 20; ++round) {
    const trial_result result = run("head -c 60000 /dev/zero | tr '\\0' x; echo end; kill -SEGV $$");
    ASSERT_EQ(result.standard_output.size(), 60004U);
    ASSERT_EQ(result.what, outcome::crash);
  }
}

TEST_F(Trial, TimeoutIsAHang) {
  trial_request hang = request("exec sleep 1000");
  hang.timeout = milliseconds(50);
  const trial_result result = run_trial(hang);
  EXPECT_EQ(result.what, outcome::hang);
  EXPECT_GE(result.milliseconds, 50);
  EXPECT_LT(result.milliseconds, 2000);

  trial_request flood = request("exec yes");
  flood.timeout = milliseconds(100);
  EXPECT_EQ(run_trial(flood).what, outcome::hang) << "a flood doesn't keep the clock from being looked at";
}

TEST_F(Trial, HangIsAskedForItsStack) {
  trial_request hang = request("trap 'echo the stack >&2; exit 0' ABRT; sleep 1000 & wait");
  hang.timeout = milliseconds(300);
  EXPECT_EQ(run_trial(hang).standard_error, "");
  hang.abort_at_timeout = true;
  const trial_result result = run_trial(hang);
  EXPECT_EQ(result.what, outcome::hang) << "whatever it does afterwards";
  EXPECT_EQ(result.standard_error, "the stack\n");
  EXPECT_LT(result.milliseconds, 2000) << "the time to the hang, without the time for the stack";
}

TEST_F(Trial, TheThreadThatSpinsIsAsked) {
  trial_request spin;
  spin.program = RACELAB_SPINNER;
  spin.timeout = milliseconds(500);
  spin.abort_at_timeout = true;
  const trial_result result = run_trial(spin);
  EXPECT_EQ(result.what, outcome::hang);
  EXPECT_EQ(result.standard_error, "the spinning thread\n");
}

TEST_F(Trial, WhatIgnoresTheRequestIsKilled) {
  trial_request deaf = request("trap '' ABRT; echo $$; exec sleep 1000");
  deaf.timeout = milliseconds(300);
  deaf.abort_at_timeout = true;
  const trial_result result = run_trial(deaf);
  EXPECT_EQ(result.what, outcome::hang);
  EXPECT_EQ(result.signal, SIGKILL);
  EXPECT_TRUE(tests::is_gone(result.standard_output));
}

TEST_F(Trial, ATraceThatIsBeingPrintedAtTheTimeoutIsNoHang) {
  trial_request late = request(
      "echo 'fatal error: unexpected signal' >&2; sleep 0.6; echo 'thread 1 [running]:' >&2; kill -SEGV $$");
  late.timeout = milliseconds(300);
  const trial_result result = run_trial(late);
  EXPECT_EQ(result.what, outcome::crash);
  EXPECT_NE(result.standard_error.find("thread 1"), std::string::npos);
}

TEST_F(Trial, MemoryIsLimited) {
  trial_request hog;
  hog.program = RACELAB_MEMORY_HOG;
  hog.memory_limit = std::uint64_t{256} << 20;
  const trial_result limited = run_trial(hog);
  EXPECT_EQ(limited.what, outcome::crash) << limited.standard_error;
  EXPECT_NE(limited.standard_error.find("bad_alloc"), std::string::npos);
  hog.memory_limit = 0;
  EXPECT_EQ(run_trial(hog).what, outcome::intact);
}

TEST_F(Trial, OneProcessorIsOne) {
  trial_request bound = request("exec nproc");
  bound.one_cpu = true;
  EXPECT_EQ(run_trial(bound).standard_output, "1\n");
}

TEST_F(Trial, WhatCannotBeLaunchedIsAnErrorThatNamesIt) {
  const auto complaint = [](const trial_request& wanted) -> std::string {
    try {
      (void)run_trial(wanted);
    } catch (const std::system_error& error) {
      return error.what();
    }
    return "launched";
  };
  trial_request missing;
  missing.program = files_ / "missing";
  EXPECT_EQ(complaint(missing), (files_ / "missing").string() + " can't be run: No such file or directory");
  missing.program = files_.write("text", "no program");
  EXPECT_EQ(complaint(missing), (files_ / "text").string() + " can't be run: Permission denied");
}

TEST_F(Trial, TheWholeTreeIsGone) {
  // In the program's group; in a session of its own; and a session's orphan's orphan. Each is known to run
  // before the program ends, by the pipe that it writes its number to.
  for (const char* tree : {
           "sleep 1000 & echo $! > PIPE &",
           "setsid sh -c 'echo $$ > PIPE; exec sleep 1000' &",
           "setsid sh -c 'setsid sh -c \"echo \\$\\$ > PIPE; exec sleep 1000\" & exec sleep 1000' &",
       }) {
    std::string commands = tree;
    const std::string pipe = (files_ / "pipe").string();
    commands.replace(commands.find("PIPE"), 4, pipe);
    const trial_result result =
        run("rm -f " + pipe + "; mkfifo " + pipe + "; " + commands + " read pid < " + pipe + "; echo $pid");
    EXPECT_EQ(result.what, outcome::intact) << tree;
    ASSERT_NE(result.standard_output, "\n") << tree;
    EXPECT_TRUE(tests::is_gone(result.standard_output)) << tree;
  }
}

TEST_F(Trial, OtherChildrenOfOursAreLeftAlone) {
  const pid_t ours = fork();
  ASSERT_GE(ours, 0);
  if (ours == 0) {
    while (true) pause();
  }
  (void)run("setsid sleep 1000 & exit 0");
  EXPECT_EQ(waitpid(ours, nullptr, WNOHANG), 0) << "it still runs";
  kill(ours, SIGKILL);
  EXPECT_EQ(waitpid(ours, nullptr, 0), ours);
}

class AddressRandomisation : public Trial {
 protected:
  void SetUp() override {
    const int before = personality(0xffffffff);
    if ((before & ADDR_NO_RANDOMIZE) != 0) GTEST_SKIP() << "it is off already";
    const bool permitted = personality(static_cast<unsigned long>(before) | ADDR_NO_RANDOMIZE) >= 0;
    personality(static_cast<unsigned long>(before));
    if (!permitted) GTEST_SKIP() << "personality() is not permitted here";
  }
};

TEST_F(AddressRandomisation, IsOnUnlessTurnedOff) {
  trial_request wanted = request("exec cat /proc/self/personality");
  EXPECT_EQ(run_trial(wanted).standard_output, "00000000\n");
  EXPECT_TRUE(run_trial(wanted).randomised);
  wanted.randomise = false;
  const trial_result off = run_trial(wanted);
  EXPECT_EQ(off.standard_output, "00040000\n");
  EXPECT_FALSE(off.randomised);
}

TEST_F(AddressRandomisation, IsTurnedOffForAProgramThatCannotStandIt) {
  const trial_result result =
      run("read now < /proc/self/personality; [ $now = 00040000 ] && exit 0\n"
          "echo 'FATAL: ThreadSanitizer: unexpected memory mapping 0x1-0x2' >&2; exit 66");
  EXPECT_EQ(result.what, outcome::intact);
  EXPECT_FALSE(result.randomised);
  EXPECT_EQ(result.standard_error, "") << "of the second run alone";

  const trial_result never =
      run("echo 'FATAL: ThreadSanitizer: unexpected memory mapping 0x1-0x2' >&2; exit 66");
  EXPECT_EQ(never.what, outcome::report) << "twice and no more";
  EXPECT_FALSE(never.randomised);
}

}  // namespace
}  // namespace racelab::lab
