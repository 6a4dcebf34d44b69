#include "lab/machine.hpp"

#include <sys/utsname.h>
#include <unistd.h>

#include <fstream>
#include <string_view>

#include "stacks/processors.hpp"

namespace racelab::lab {
namespace {

/// The value after `key` and the first `separator` in a file of such lines, without quotes.
std::string value_in(const char* file, std::string_view key, char separator) {
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(key)) continue;
    const std::size_t start = line.find_first_not_of(" \t\"", line.find(separator) + 1);
    const std::size_t end = line.find_last_not_of(" \t\"");
    if (start != std::string::npos && end >= start) return line.substr(start, end - start + 1);
  }
  return "unknown";
}

}  // namespace

machine this_machine() {
  machine found;
  found.processor = value_in("/proc/cpuinfo", "model name", ':');
  found.system = value_in("/etc/os-release", "PRETTY_NAME", '=');
  found.processors = stacks::usable_processors();
  found.memory =
      static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  utsname names{};
  found.kernel = uname(&names) == 0 ? std::string(names.sysname) + " " + names.release : "unknown";
  return found;
}

}  // namespace racelab::lab
