// What a user gets from `make install`: projects of three kinds, built with it as their authors would.
#include <stdlib.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/scratch.hpp"
#include "tests/watchpoint/run_watched.hpp"

namespace {

namespace fs = std::filesystem;

struct finished {
  int exit_code = -1;
  std::string output;
};

// By a shell, both outputs kept.
finished shell(const std::string& command) {
  finished result;
  FILE* const pipe = popen(("exec 2>&1; " + command).c_str(), "re");
  if (pipe == nullptr) return result;
  std::array<char, 4096> buffer{};
  for (std::size_t got = 0; (got = fread(buffer.data(), 1, buffer.size(), pipe)) > 0;)
    result.output.append(buffer.data(), got);
  const int status = pclose(pipe);
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return result;
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// An installation that has been moved since: nothing may remember where it was. With copies of the projects beside it.
class installation {
 public:
  installation() {
    const finished installed =
        shell("cmake --install '" RACELAB_BUILD "' --prefix '" + (folder_ / "first").string() + "'");
    if (installed.exit_code != 0) throw std::runtime_error(installed.output);
    fs::rename(folder_ / "first", prefix());
    fs::copy(CONSUMER_PROJECTS, projects(), fs::copy_options::recursive);
  }
  installation(const installation&) = delete;
  installation& operator=(const installation&) = delete;
  ~installation() = default;

  [[nodiscard]] fs::path prefix() const { return folder_ / "moved here"; }
  [[nodiscard]] fs::path projects() const { return folder_ / "projects"; }
  [[nodiscard]] std::string command(const std::string& name) const {
    return (prefix() / "bin" / name).string();
  }
  [[nodiscard]] std::string cxx() const { return "'" + command("racelab-c++") + "'"; }
  [[nodiscard]] std::string cc() const { return "'" + command("racelab-cc") + "'"; }

  static const installation& the() {
    static const installation one;
    return one;
  }

 private:
  scratch_folder folder_;
};

void check_thread_sanitizer(const fs::path& program, bool races) {
  INFO(program);
  REQUIRE(fs::exists(program));
  // setarch -R: some kernels randomise addresses more widely than ThreadSanitizer can stand.
  const finished run = shell("TSAN_OPTIONS=atexit_sleep_ms=0 setarch -R '" + program.string() + "'");
  INFO(run.output);
  CHECK(run.exit_code == (races ? 66 : 0));
  CHECK(has(run.output, "WARNING: ThreadSanitizer: data race") == races);
}

void check_watch(const fs::path& program, bool races) {
  INFO(program);
  REQUIRE(fs::exists(program));
  const watched_run run = run_watched(program.string());
  INFO(run.program.errors);
  CHECK(run.exit_code() == 0);
  CHECK(run.of_kind("pair").empty() != races);
}

// PROGRAM under ThreadSanitizer, PROGRAM.watch under racelab's runtime.
void check_both(const fs::path& program, bool races) {
  check_thread_sanitizer(program, races);
  check_watch(program.string() + ".watch", races);
}

fs::path built_by_cmake(const std::string& project, const std::string& name, const std::string& arguments,
                        const std::string& environment = "") {
  const installation& installed = installation::the();
  const fs::path build = installed.projects() / project / name;
  const finished made =
      shell(environment + " cmake -G Ninja -S '" + build.parent_path().string() + "' -B '" + build.string() +
            "' " + arguments + " && cmake --build '" + build.string() + "' -j 2");
  INFO(made.output);
  REQUIRE(made.exit_code == 0);
  return build;
}

void check_found_package(const std::string& name, const std::string& compilers) {
  const fs::path build =
      built_by_cmake("find_package", name,
                     "'-DCMAKE_PREFIX_PATH=" + installation::the().prefix().string() + "' " + compilers);
  check_both(build / "library", true);
  check_both(build / "archive", true);
  check_both(build / "guarded", false);
}

}  // namespace

SCENARIO("A CMake project finds the package and has its programs watched") {
  GIVEN("the clang that racelab was built with") {
    if (const finished clang = shell(installation::the().cxx() + " -print-prog-name=clang");
        clang.exit_code == 0) {
      const std::string c = clang.output.substr(0, clang.output.find('\n'));
      check_found_package("clang", "-DCMAKE_C_COMPILER=" + c + " -DCMAKE_CXX_COMPILER=" + c + "++");
      const fs::path build = installation::the().projects() / "find_package" / "clang";

      THEN("the write flag, a remedy and the bare runtime are there too") {
        const finished flagged = shell("'" + (build / "write_flag").string() + "'");
        INFO(flagged.output);
        CHECK(flagged.exit_code == 2);
        CHECK(has(flagged.output, "fatal error: concurrent map writes"));
        CHECK(has(flagged.output, "created by main"));
        CHECK(shell("'" + (build / "remedy").string() + "'").exit_code == 0);
        check_watch(build / "only_watched", true);
      }
      THEN("a program without ThreadSanitizer is told so") {
        const finished made = shell("cmake --build '" + build.string() + "' --target uninstrumented");
        CHECK(made.exit_code != 0);
        CHECK(has(made.output, "racelab_watch(uninstrumented)"));
      }
      THEN("cleaning takes the second program too") {
        CHECK(shell("cmake --build '" + build.string() + "' --target clean").exit_code == 0);
        CHECK_FALSE(fs::exists(build / "library.watch"));
      }
    }
  }
  GIVEN("g++") {
    if (!fs::exists(installation::the().prefix() / "lib/racelab/gcc")) {
      WARN("SKIPPED: there is no g++, or it has no libtsan");
      return;
    }
    check_found_package("gcc", "-DCMAKE_C_COMPILER=gcc -DCMAKE_CXX_COMPILER=g++");
  }
}

SCENARIO("A CMake project that knows nothing of racelab is built by racelab-c++ and racelab-cc") {
  const installation& installed = installation::the();
  const fs::path build =
      built_by_cmake("compiler", "build", "", "CC=" + installed.cc() + " CXX=" + installed.cxx());
  check_both(build / "program_library", true);
  check_both(build / "program_archive", true);
  check_both(build / "program_guarded", false);
  check_both(build / "program_c", true);
}

SCENARIO("A project of plain make is built by racelab-c++ and racelab-cc") {
  const installation& installed = installation::the();
  const fs::path folder = installed.projects() / "make";
  // make's own CC can't have a space in it unless it is quoted twice.
  const finished made = shell("make -C '" + folder.string() + "' \"CC=" + installed.cc() +
                              "\" \"CXX=" + installed.cxx() + "\"");
  INFO(made.output);
  REQUIRE(made.exit_code == 0);
  check_both(folder / "in_archive", true);
  check_both(folder / "in_library", true);
  check_both(folder / "guarded", false);
  check_both(folder / "written_in_c", true);
  check_both(folder / "plugin", true);
}

SCENARIO("A link that is too long for a command line goes through") {
  const installation& installed = installation::the();
  const fs::path folder = installed.projects() / "counting";
  {
    std::ofstream words(folder / "long.rsp");
    for (int i = 0; i < 60'000; ++i) words << "-Wl,-rpath-link,/nobody/has/this/" << i << "\n";
  }
  const finished made = shell("cd '" + folder.string() + "' && " + installed.cxx() +
                              " @long.rsp -I.. -O1 -DCOUNT=count_in_archive main.cpp archive.cpp -o long");
  INFO(made.output);
  REQUIRE(made.exit_code == 0);
  check_both(folder / "long", true);
}

SCENARIO("OpenMP goes through") {
  const installation& installed = installation::the();
  const std::string folder = (installed.projects() / "counting").string();
  const std::string program = folder + "/openmp";
  const finished made = shell("cd '" + folder + "' && " + installed.cxx() +
                              " -fopenmp -O1 -I.. openmp.cpp archive.cpp -o openmp");
  if (made.exit_code != 0 && has(made.output, "lomp")) {
    WARN("SKIPPED: there is no libomp");
    return;
  }
  INFO(made.output);
  REQUIRE(made.exit_code == 0);
  check_both(program, true);
}

SCENARIO("ccache stands in front of it, or behind") {
  if (shell("command -v ccache").exit_code != 0) {
    WARN("SKIPPED: there is no ccache");
    return;
  }
  const installation& installed = installation::the();
  const std::string folder = (installed.projects() / "counting").string();
  const std::string real = shell(installed.cxx() + " -print-prog-name=clang").output;
  const std::string behind =
      "RACELAB_CXX='ccache " + real.substr(0, real.find('\n')) + "++' " + installed.cxx();
  for (const std::string& compiler : {"ccache " + installed.cxx(), behind}) {
    const finished made =
        shell("cd '" + folder + "' && export CCACHE_DIR='" + folder +
              "/cache' && for source in main archive; do " + "for time in first second; do " + compiler +
              " -I.. -O1 -DCOUNT=count_in_archive -c $source.cpp -o $source.o || exit; done; done && " +
              compiler + " main.o archive.o -o cached && ccache -s");
    INFO(made.output);
    REQUIRE(made.exit_code == 0);
    CHECK(has(made.output, "Hits:"));
    check_both(folder + "/cached", true);
  }
}

SCENARIO("The runtime's instances of the standard library's templates are its own") {
  const std::string object = (installation::the().prefix() / "lib/racelab/watch.o").string();
  const finished names =
      shell("nm --extern-only --defined-only --format=posix '" + object + "' | cut -d' ' -f1");
  INFO(names.output);
  CHECK(names.exit_code == 0);
  CHECK(has(names.output, "__tsan_read8\n"));
  CHECK(has(names.output, "_ZdlPv\n"));
  for (const char* const prefix : {"_ZNSt", "_ZNKSt", "_ZSt", "_ZZNSt", "_ZTVSt", "_ZTISt"})
    CHECK_FALSE(has(names.output, prefix));
}

SCENARIO("A program that g++ has built runs with racelab's libtsan.so") {
  const installation& installed = installation::the();
  const fs::path library = installed.prefix() / "lib/racelab/gcc";
  if (!fs::exists(library)) {
    WARN("SKIPPED: there is no g++, or it has no libtsan");
    return;
  }
  const std::string folder = (installed.projects() / "counting").string();
  for (const bool races : {true, false}) {
    const std::string program = folder + (races ? "/racing" : "/ordered");
    const finished made =
        shell("cd '" + folder + "' && g++ -fsanitize=thread -g -I.. main.cpp archive.cpp guarded.cpp -o '" +
              program + "' -DCOUNT=" + (races ? "count_in_archive" : "count_guarded"));
    INFO(made.output);
    REQUIRE(made.exit_code == 0);
    check_thread_sanitizer(program, races);
    const watched_run run = run_watched(program, {{"LD_LIBRARY_PATH", library.string()}});
    INFO(run.program.errors);
    CHECK(run.exit_code() == 0);
    CHECK(run.of_kind("pair").empty() != races);
  }
}

SCENARIO("What racelab-c++ can't do it says") {
  const installation& installed = installation::the();
  const std::string folder = (installed.projects() / "counting").string();
  const auto compiled = [&](const std::string& arguments) {
    return shell("cd '" + folder + "' && " + installed.cxx() +
                 " -I.. -DCOUNT=count_in_archive main.cpp archive.cpp -o refused " + arguments);
  };
  const auto refuses = [&](const std::string& arguments, const std::string& why) {
    fs::remove(folder + "/refused");
    const finished run = compiled(arguments);
    INFO(arguments << ": " << run.output);
    CHECK(run.exit_code != 0);
    CHECK(has(run.output, why));
    CHECK_FALSE(fs::exists(folder + "/refused"));
    CHECK_FALSE(fs::exists(folder + "/refused.watch"));
  };
  refuses("-fsanitize=address", "can't be combined with -fsanitize=thread");
  refuses("-static", "-static: ThreadSanitizer needs a dynamically linked program");
  refuses("-shared-libsan", "-shared-libsan: ");
  refuses("nobody_has_this.cpp", "nobody_has_this.cpp");

  GIVEN("a link without ThreadSanitizer") {
    const finished plain = compiled("-fno-sanitize=thread");
    INFO(plain.output);
    CHECK(plain.exit_code == 0);
    CHECK(fs::exists(folder + "/refused"));
    CHECK_FALSE(fs::exists(folder + "/refused.watch"));
  }
}

SCENARIO("What links no program goes through untouched") {
  const installation& installed = installation::the();
  const std::string folder = (installed.projects() / "counting").string();
  const auto runs = [&](const std::string& arguments) {
    const finished run = shell("cd '" + folder + "' && " + installed.cxx() + " -Werror -I.. " + arguments);
    INFO(arguments << ": " << run.output);
    CHECK(run.exit_code == 0);
    return run.output;
  };
  CHECK(has(runs("--version"), "clang version"));
  CHECK(has(runs("-### archive.cpp -o program"), "-fsanitize=thread"));
  CHECK(has(runs("-MM archive.cpp"), "archive.o: archive.cpp"));
  CHECK(has(runs("-E archive.cpp"), "count_in_archive"));
  CHECK(runs("-fsyntax-only archive.cpp").empty());
  CHECK(runs("-c archive.cpp").empty());
  CHECK(runs("-S archive.cpp -o archive.s").empty());
  CHECK(runs("-r archive.o -nostdlib -o relocatable.o").empty());
  CHECK(runs("-fPIC -shared archive.cpp -o libarchive.so").empty());
  CHECK(runs("-c archive.cpp -fsanitize=undefined -o checked.o").empty());
  CHECK(has(runs("--help-racelab"), "racelab judge -- ./program"));
  CHECK(runs("-I.. -DCOUNT=count_in_archive main.cpp archive.cpp -o /dev/null").empty());
  for (const char* const name : {"archive.o", "archive.s", "relocatable.o", "libarchive.so"}) {
    CHECK(fs::exists(fs::path(folder) / name));
    CHECK_FALSE(fs::exists(fs::path(folder) / (std::string(name) + ".watch")));
  }
}
