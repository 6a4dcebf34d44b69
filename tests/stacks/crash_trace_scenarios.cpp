// What a person sees when a program with the crash handler crashes.
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "tests/stacks/run_program.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/scratch.hpp"

namespace {

finished_program crash(const std::string& name, const char* traceback = nullptr) {
  return run_program(std::string(CRASH_PROGRAMS) + "/" + name, traceback);
}

// objcopy with these arguments, on files of `folder`.
void objcopy(const std::filesystem::path& folder, const std::string& arguments) {
  const std::string command = "cd '" + folder.string() + "' && " OBJCOPY " " + arguments;
  if (std::system(command.c_str()) != 0) throw std::runtime_error(command);
}

}  // namespace

SCENARIO("a thread reads through a null pointer") {
  WHEN("it crashes") {
    const auto run = crash("null_dereference");
    INFO(run.errors);
    THEN("the report opens with the signal, as Go's does") {
      CHECK(
          run.errors.starts_with("fatal error: unexpected signal\n"
                                 "[signal SIGSEGV: segmentation violation code=0x1 addr=0x8 pc=0x"));
    }
    THEN("the thread's number, its function and the line follow") {
      CHECK(run.says(
          "]\n\nthread 2 [running]:\nread_value(…)\n\ttests/stacks/programs/null_dereference.cpp:9 +0x"));
    }
    THEN("the line that created the thread comes last") {
      CHECK(run.says("\ncreated by main\n\ttests/stacks/programs/null_dereference.cpp:16 +0x"));
    }
    THEN("no frame of the library, of the runtime or of thread start-up is shown") {
      CHECK_FALSE(run.says("racelab::stacks"));
      CHECK_FALSE(run.says("std::thread"));
      CHECK_FALSE(run.says("clone"));
      CHECK_FALSE(run.says("start_thread"));
    }
    THEN("it dies by that very signal, and without a long wait") {
      CHECK(run.killed_by() == SIGSEGV);
      // 20 ms when this was written; the bound leaves room for a busy machine.
      CHECK(run.took < std::chrono::seconds(2));
    }
  }
}

SCENARIO("a program whose symbols were taken out crashes") {
  const scratch_folder folder;
  const auto program = folder / "program";
  std::filesystem::copy_file(std::string(CRASH_PROGRAMS) + "/null_dereference", program);
  const auto home = program.parent_path();

  WHEN("they are gone for good") {
    objcopy(home, "--strip-all program");
    const auto run = run_program(program);
    INFO(run.errors);
    THEN("each frame says its module and where in it") {
      CHECK(run.says("]\n\nthread 2 [running]:\n?\n\t" + program.string() + " +0x"));
      CHECK(run.killed_by() == SIGSEGV);
    }
  }
  WHEN("the names of functions are left") {
    objcopy(home, "--strip-debug program");
    const auto run = run_program(program);
    INFO(run.errors);
    THEN("each frame says its function, its module and where in it") {
      CHECK(run.says("]\n\nthread 2 [running]:\nread_value(…)\n\t" + program.string() + " +0x"));
    }
  }
  GIVEN("a file with its debug information, to which it has a link") {
    objcopy(home, "--only-keep-debug program program.debug");
    objcopy(home, "--strip-all --add-gnu-debuglink=program.debug program");
    const std::string line = "\nread_value(…)\n\ttests/stacks/programs/null_dereference.cpp:9 +0x";
    THEN("the line is found there") {
      const auto run = run_program(program);
      INFO(run.errors);
      CHECK(run.says(line));
    }
    THEN("and in the folder .debug beside it") {
      std::filesystem::create_directory(home / ".debug");
      std::filesystem::rename(home / "program.debug", home / ".debug" / "program.debug");
      const auto run = run_program(program);
      INFO(run.errors);
      CHECK(run.says(line));
    }
    THEN("but not in a file that was made from another build") {
      std::ofstream(home / "program.debug", std::ios::app) << "something else";
      const auto run = run_program(program);
      INFO(run.errors);
      CHECK_FALSE(run.says(line));
      CHECK(run.says("\n?\n\t" + program.string() + " +0x"));
    }
  }
}

SCENARIO("a program aborts") {
  WHEN("the main thread calls abort") {
    const auto run = crash("abort");
    INFO(run.errors);
    THEN("the trace begins with the function that called it") {
      CHECK(run.errors.starts_with("fatal error: unexpected signal\n[signal SIGABRT: abort code=0x"));
      CHECK(run.says("]\n\nthread 1 [running]:\ngive_up(…)\n\ttests/stacks/programs/abort.cpp:4 +0x"));
      CHECK(run.says("\nmain\n\ttests/stacks/programs/abort.cpp:6 +0x"));
    }
    THEN("nobody is said to have created the main thread") { CHECK_FALSE(run.says("created by")); }
    THEN("it dies by SIGABRT") { CHECK(run.killed_by() == SIGABRT); }
  }
}

SCENARIO("glibc finds a double free") {
  WHEN("it aborts the program") {
    const auto run = crash("double_free");
    INFO(run.errors);
    THEN("its message comes first, then the trace, with free in it") {
      CHECK(run.errors.starts_with(
          "free(): double free detected in tcache 2\nfatal error: unexpected signal\n"));
      CHECK(run.says("\nfree\n\t"));
      CHECK(run.says("\nrelease(…)\n\ttests/stacks/programs/double_free.cpp:5 +0x"));
    }
    THEN("the way from abort to the kernel is left out") {
      CHECK_FALSE(run.says("raise"));
      CHECK_FALSE(run.says("pthread_kill"));
    }
    THEN("it dies by SIGABRT") { CHECK(run.killed_by() == SIGABRT); }
  }
}

SCENARIO("two threads crash at once") {
  WHEN("both write through a null pointer") {
    const auto run = crash("both_crash");
    INFO(run.errors);
    THEN("one of them reports, and the other keeps quiet until the end") {
      CHECK(run.count("fatal error:") == 1);
      CHECK(run.count("\nthread ") == 1);
      CHECK(run.says("write_through(…)\n"));
      CHECK(run.killed_by() == SIGSEGV);
    }
  }
}

SCENARIO("other fatal signals come while the first is reported") {
  WHEN("they are sent to the thread that reports") {
    const auto run = crash("second_signal");
    INFO(run.errors);
    THEN("the report goes on to its end, alone, and the process dies by the first") {
      CHECK(run.count("fatal error:") == 1);
      CHECK(run.says("[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 "));
      CHECK(run.says("read_through(…)\n\ttests/stacks/programs/second_signal.cpp:10 +0x"));
      CHECK(run.says("\nmain\n"));
      CHECK(run.killed_by() == SIGSEGV);
      CHECK(run.took < std::chrono::seconds(2));
    }
  }
}

SCENARIO("a thread runs out of stack") {
  WHEN("it recurses without end") {
    const auto run = crash("stack_overflow");
    INFO(run.errors);
    THEN("it still reports, from its alternate stack") {
      CHECK(run.says("[signal SIGSEGV: segmentation violation code=0x"));
      CHECK(run.count("dig(…)\n\ttests/stacks/programs/stack_overflow.cpp:6 +0x") > 50);
      CHECK(run.says("\ncreated by main\n"));
      CHECK(run.killed_by() == SIGSEGV);
    }
  }
}

SCENARIO("a null function pointer is called") {
  WHEN("the program counter is zero") {
    const auto run = crash("call_null");
    INFO(run.errors);
    THEN("the caller is found all the same") {
      CHECK(
          run.says("addr=0x0 pc=0x0]\n\nthread 1 [running]:\n?\n\t0x0\ncall(…)\n"
                   "\ttests/stacks/programs/call_null.cpp:2 +0x"));
      CHECK(run.killed_by() == SIGSEGV);
    }
  }
}

SCENARIO("the stack pointer is lost") {
  WHEN("nothing can be unwound") {
    const auto run = crash("broken_stack");
    INFO(run.errors);
    THEN("the message and the place of the crash are there") {
      CHECK(run.says("[signal SIGSEGV: segmentation violation code=0x"));
      CHECK(run.says("\nmain\n\ttests/stacks/programs/broken_stack.cpp:4 +0x"));
      CHECK(run.killed_by() == SIGSEGV);
    }
  }
}

SCENARIO("RACELAB_TRACEBACK chooses how much is shown") {
  GIVEN("a program with a thread that sleeps and one that spins, where the main thread aborts") {
    WHEN("it is single, or not set") {
      THEN("the crashed thread alone is shown") {
        for (const char* value : {"single", static_cast<const char*>(nullptr)}) {
          const auto run = crash("sleepers", value);
          INFO(run.errors);
          CHECK(run.count("\nthread ") == 1);
          CHECK(run.says("\nthread 1 [running]:\nbreak_down()\n"));
        }
      }
    }
    WHEN("it is none") {
      const auto run = crash("sleepers", "none");
      INFO(run.errors);
      THEN("there are the message and the signal, no more") {
        CHECK(run.errors.starts_with("fatal error: unexpected signal\n[signal SIGABRT: abort "));
        CHECK(run.errors.ends_with("]\n"));
        CHECK(run.count("\n") == 2);
        CHECK(run.killed_by() == SIGABRT);
      }
    }
    WHEN("it is all") {
      const auto run = crash("sleepers", "all");
      INFO(run.errors);
      THEN("every thread is shown where it is, the crashed one first") {
        CHECK(run.errors.find("\nthread 1 [running]:\nbreak_down()\n") < run.errors.find("\nthread 2 "));
        CHECK(run.says("\nthread 2 [sleep]:\n"));
        CHECK(run.says("\nsleep_long()\n\ttests/stacks/programs/sleepers.cpp:11 +0x"));
        // In the loop itself, or in the load that is inlined there.
        const std::size_t spinner = run.errors.find("\nthread 3 [running]:\n");
        REQUIRE(spinner != std::string::npos);
        CHECK(run.errors.find("\nspin_long()\n\ttests/stacks/programs/sleepers.cpp:17 +0x", spinner) !=
              std::string::npos);
        CHECK(run.count("\ncreated by main\n\ttests/stacks/programs/sleepers.cpp:") == 2);
        CHECK(run.killed_by() == SIGABRT);
      }
    }
    WHEN("it is all,json") {
      const auto run = crash("sleepers", "all,json");
      INFO(run.errors);
      THEN("the threads are one line of JSON after the message") {
        const std::size_t at = run.errors.find("\n{\"threads\":[{\"ids\":[1],\"state\":\"running\"");
        REQUIRE(at != std::string::npos);
        CHECK(run.errors.find('\n', at + 1) == run.errors.size() - 1);
        CHECK(
            run.says(R"-("function":"sleep_long()","file":"tests/stacks/programs/sleepers.cpp","line":11)-"));
        CHECK(run.says(R"-({"ids":[2],"state":"sleep","note":"")-"));
        CHECK(run.killed_by() == SIGABRT);
      }
    }
    WHEN("it is system") {
      const auto run = crash("sleepers", "system");
      INFO(run.errors);
      THEN("the frames of the runtime are there, with their program counters") {
        CHECK(run.count("\nthread ") == 1);
        CHECK(run.says("\n_start\n"));
        CHECK(run.says(" pc=0x"));
      }
    }
  }
}

SCENARIO("a thousand threads wait while one aborts") {
  WHEN("all are asked for") {
    const auto run = crash("many_threads", "all");
    INFO(run.errors);
    THEN("those with one stack are told once, with what they wait for") {
      CHECK(run.says("\nthread 2 [futex wait, 1000 threads]:\n\tthreads 2, 3, 4, "));
      CHECK(run.says(" and 984 more\n"));
      CHECK(run.says("\nwait_for_work(…)\n\ttests/stacks/programs/many_threads.cpp:"));
      CHECK(run.errors.size() < 4000);
      CHECK(run.killed_by() == SIGABRT);
      // Half a second when this was written, most of it for the threads to start.
      CHECK(run.took < std::chrono::seconds(3));
    }
  }
}

// Where a handler that allocates, locks or asks the loader would wait for ever.
SCENARIO("a crash in a bad place still gives a trace, and the right signal, within two seconds") {
  struct place {
    const char* program;
    int signal;
    const char* said;
  };
  for (const place& each : {place{"inside_malloc", SIGSEGV, "\nspoil_the_heap(…)\n"},
                            place{"inside_loader", SIGSEGV, "\nwhen_loaded()\n"},
                            place{"smashed_stack", SIGSEGV, "\nsmash(…)\n"}}) {
    WHEN(each.program) {
      const auto run = crash(each.program);
      INFO(run.errors);
      CHECK(run.says("fatal error: unexpected signal\n"));
      CHECK(run.says(each.said));
      CHECK(run.killed_by() == each.signal);
      CHECK(run.took < std::chrono::seconds(2));
    }
  }
}

SCENARIO("RACELAB_TRACEBACK=crash ends in a signal that may leave a core file") {
  WHEN("a detector would have ended the program by exit code 2") {
    THEN("it is SIGABRT") { CHECK(crash("reports_and_exits", "crash").killed_by() == SIGABRT); }
    AND_THEN("with any other level it is the exit code") {
      const auto run = crash("reports_and_exits", "all");
      CHECK(run.killed_by() == 0);
      CHECK(WEXITSTATUS(run.status) == 2);
    }
  }
}
