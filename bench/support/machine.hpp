// The machine that numbers were measured on, in one line: a number without it says nothing.
#pragma once

#include <sys/utsname.h>

#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <thread>

namespace racelab::bench {

/// Processor, how many, kernel, compiler and, where the program runs inside a git checkout, its commit.
[[nodiscard]] inline std::string this_machine() {
  std::string processor = "unknown processor";
  std::ifstream cpuinfo("/proc/cpuinfo");
  for (std::string line; std::getline(cpuinfo, line);)
    if (line.starts_with("model name")) {
      processor = line.substr(line.find(':') + 2);
      break;
    }
  utsname system{};
  uname(&system);
#if defined(__clang__)
  const std::string compiler =
      "clang " + std::to_string(__clang_major__) + "." + std::to_string(__clang_minor__);
#else
  const std::string compiler = "gcc " + std::to_string(__GNUC__) + "." + std::to_string(__GNUC_MINOR__);
#endif
  std::string result = processor + ", " + std::to_string(std::thread::hardware_concurrency()) +
                       " processors, Linux " + system.release + ", " + compiler;
  // NOLINTNEXTLINE(cert-env33-c): a fixed command
  const std::unique_ptr<FILE, int (*)(FILE*)> git(popen("git rev-parse --short HEAD 2> /dev/null", "r"),
                                                  pclose);
  char commit[64] = {};
  if (git && std::fgets(commit, sizeof commit, git.get()) != nullptr) {
    result += ", commit ";
    result += commit;
    result.pop_back();
  }
  return result;
}

}  // namespace racelab::bench
