#include "sanitizers/watchpoint/options.hpp"

#include <sys/random.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace racelab::watch {
namespace {

[[noreturn]] void refuse(const char* variable, std::string_view text, const char* why) {
  std::fprintf(stderr, "racelab: %s: '%.*s' %s\n", variable, static_cast<int>(text.size()), text.data(), why);
  _exit(2);
}

template <class T> T number(const char* variable, std::string_view text) {
  T value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty())
    refuse(variable, text, "is not a number in range");
  return value;
}

void set(options& into, std::string_view assignment) {
  const std::size_t equals = assignment.find('=');
  if (equals == std::string_view::npos) refuse("RACELAB_WATCH", assignment, "is not name=value");
  const std::string_view name = assignment.substr(0, equals);
  const std::string_view value = assignment.substr(equals + 1);
#define RACELAB_OPTION(type, option, unused, description) \
  if (name == #option) {                                  \
    into.option = number<type>("RACELAB_WATCH", value);   \
    return;                                               \
  }
#include "sanitizers/watchpoint/options.def"
#undef RACELAB_OPTION
  refuse("RACELAB_WATCH", name, "is no option; RACELAB_WATCH=help=1 lists them");
}

void print_help() {
#define RACELAB_OPTION(type, option, value, description) \
  std::fprintf(stderr, "%-14s default %-6s %s\n", #option, #value, description);
#include "sanitizers/watchpoint/options.def"
#undef RACELAB_OPTION
}

perturbation perturbation_named(std::string_view name) {
  if (name == "stall") return perturbation::stall;
  if (name == "none") return perturbation::none;
  if (name == "yield") return perturbation::yield;
  if (name == "heap") return perturbation::heap;
  refuse("RACELAB_PERTURB", name, "is none of stall, none, yield, heap");
}

// Null if the variable is unset or empty.
const char* file_named(const char* variable) {
  const char* const path = std::getenv(variable);
  return path == nullptr || *path == '\0' ? nullptr : path;
}

}  // namespace

options options_from_environment() noexcept {
  options result;
  if (const char* text = std::getenv("RACELAB_WATCH")) {
    std::string_view rest = text;
    while (!rest.empty()) {
      const std::size_t end = rest.find_first_of(" :,");
      if (const std::string_view one = rest.substr(0, end); !one.empty()) set(result, one);
      rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
    }
  }
  result.log = file_named("RACELAB_WATCH_LOG");
  result.plan = file_named("RACELAB_WATCH_PLAN");
  result.sites = file_named("RACELAB_WATCH_SITES");
  result.events = file_named("RACELAB_WATCH_EVENTS");
  if (result.plan != nullptr) result.perturb = perturbation::none;
  if (const char* text = std::getenv("RACELAB_PERTURB")) result.perturb = perturbation_named(text);
  if (const char* text = std::getenv("RACELAB_SEED"))
    result.seed = number<std::uint64_t>("RACELAB_SEED", text);
  else if (getrandom(&result.seed, sizeof result.seed, GRND_NONBLOCK) != sizeof result.seed)
    result.seed = static_cast<std::uint64_t>(getpid());
  if (result.help != 0) print_help();
  return result;
}

}  // namespace racelab::watch
