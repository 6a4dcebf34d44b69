// racelab-ld: stands before the linker (as ld, ld.lld, ld.gold … in a folder that the compiler is told of by -B), and links
// PROGRAM.watch after PROGRAM. A line that links no program under ThreadSanitizer goes through untouched.
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include "compilers/link_line.hpp"
#include "compilers/response_file.hpp"

namespace {

namespace fs = std::filesystem;
using namespace racelab::compilers;

bool is_program(const fs::path& file) { return access(file.c_str(), X_OK) == 0 && fs::is_regular_file(file); }

// The linker named `name` that the compiler would have taken without us: the one beside it, or the first of PATH. The
// compiler is the process that has started this one (a way that holds for clang whoever started that).
fs::path real_linker(const std::string& name, const fs::path& our_folder) {
  std::error_code error;
  std::vector<fs::path> folders = {
      fs::read_symlink("/proc/" + std::to_string(getppid()) + "/exe", error).parent_path()};
  const char* const path = std::getenv("PATH");
  for (std::string rest = path == nullptr ? "" : path; !rest.empty();) {
    const std::size_t colon = rest.find(':');
    folders.emplace_back(rest.substr(0, colon));
    rest = colon == std::string::npos ? "" : rest.substr(colon + 1);
  }
  folders.emplace_back("/usr/bin");
  for (const fs::path& folder : folders) {
    const fs::path candidate = folder / name;
    if (!folder.empty() && is_program(candidate) && !fs::equivalent(folder, our_folder, error))
      return candidate;
  }
  throw std::runtime_error("there is no " + name + " in PATH");
}

std::vector<char*> pointers(const std::string& program, std::vector<std::string>& arguments) {
  std::vector<char*> all = {const_cast<char*>(program.c_str())};
  for (std::string& each : arguments) all.push_back(each.data());
  all.push_back(nullptr);
  return all;
}

// How a shell would tell of it.
int run(const std::string& program, std::vector<std::string> arguments) {
  pid_t child = 0;
  if (const int error = posix_spawn(&child, program.c_str(), nullptr, nullptr,
                                    pointers(program, arguments).data(), environ))
    throw std::runtime_error(program + ": " + std::strerror(error));
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

class temporary_file {
 public:
  temporary_file() {
    path_ = (fs::temp_directory_path() / "racelab-ld.XXXXXX").string();
    const int file = mkstemp(path_.data());
    if (file < 0) throw std::runtime_error(path_ + ": " + std::strerror(errno));
    close(file);
  }
  temporary_file(const temporary_file&) = delete;
  temporary_file& operator=(const temporary_file&) = delete;
  ~temporary_file() { unlink(path_.c_str()); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

int link(const fs::path& called_as, const std::vector<std::string>& arguments) {
  const fs::path our_folder = fs::read_symlink("/proc/self/exe").parent_path();
  const std::string name = called_as.filename() == "racelab-ld" ? "ld" : called_as.filename().string();
  const std::string linker = real_linker(name, our_folder).string();

  const std::vector<std::string> expanded = expand_response_files(arguments);
  const link_line line = read_link_line(expanded);
  const runtime_files runtime{.folder = our_folder.parent_path(),
                              .libraries = words_of(RACELAB_WATCH_LIBRARIES)};
  if (line.what == linked::refused) throw std::runtime_error(line.refusal);
  if (line.what == linked::with_library && !fs::exists(runtime.gcc_library_folder()))
    throw std::runtime_error(runtime.gcc_library_folder().string() +
                             ": there is no libtsan.so of racelab's, for it was built without g++");
  if (line.what == linked::other) {
    std::vector<std::string> same = arguments;
    execv(linker.c_str(), pointers(linker, same).data());
    throw std::runtime_error(linker + ": " + std::strerror(errno));
  }

  // One that was left from an earlier link must not be taken for this program's.
  const fs::path watch = watch_program(line.output);
  std::error_code error;
  fs::remove(watch, error);
  if (const int status = run(linker, arguments); status != 0) return status;

  std::vector<std::string> second = watch_arguments(expanded, line, runtime);
  int status = 0;
  if (expanded.size() == arguments.size()) {
    status = run(linker, std::move(second));
  } else {  // too long for a command line
    const temporary_file words;
    write_response_file(words.path(), second);
    status = run(linker, {"@" + words.path()});
  }
  if (status != 0)
    std::fprintf(stderr, "racelab-ld: %s is linked, but its second link with racelab's runtime, %s, failed\n",
                 line.output.c_str(), watch.c_str());
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return link(argv[0], {argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "racelab-ld: %s\n", error.what());
    return 1;
  }
}
